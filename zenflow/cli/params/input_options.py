"""What is said of inputs on the command line, `-i` and `--inputs`, in its order: later ones win (rule 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, TypeAlias

import click

from zenflow.cli.params.parsers import parse_assignment
from zenflow.cli.params.paths import NamedPath

Said: TypeAlias = tuple[str, str] | Path  # `-i name=value`, or the file of `--inputs`
_ORDER = "zenflow.order_of_inputs"


class InputsInOrder(click.Command):
    """A command that knows in which order its `-i` and `--inputs` stood: later ones win (rule 7)."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        ctx.meta[_ORDER] = [param.name for param in order if param.name in ("inputs", "input_files")]
        return super().parse_args(ctx, args)


def input_options(body: Callable[..., Any]) -> Callable[..., Any]:
    """`-i --inputs` → `said`, in the order of the command line; for an `InputsInOrder`."""

    @click.option("inputs", "-i", "--input", multiple=True, metavar="NAME=VALUE", help="One input; `@file` reads it.")
    @click.option(
        "input_files",
        "--inputs",
        multiple=True,
        type=NamedPath(),
        metavar="FILE",
        help="A YAML or JSON mapping of inputs.",
    )
    @wraps(body)
    def with_inputs(*args: Any, inputs: tuple[str, ...], input_files: tuple[Path, ...], **words: Any) -> Any:
        of: dict[str, Iterator[Said]] = {
            "inputs": iter([parse_assignment(word) for word in inputs]),
            "input_files": iter(input_files),
        }
        order = click.get_current_context().meta[_ORDER]
        return body(*args, said=tuple(next(of[name]) for name in order), **words)

    return with_inputs
