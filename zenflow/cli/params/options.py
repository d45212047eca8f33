"""Options that several commands share, each with one spelling and one meaning. A command takes only those that mean
something for it; any other is an error that click itself raises.

Each group of options arrives as one value: `display` (how to answer), `place` (which server, which state), `asked` (what
to do with which recipe).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from zenflow.cli.params.input_options import Said, input_options
from zenflow.cli.params.parsers import parse_budget, parse_label, parse_maximum, parse_pick
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.terminal.console import Console

Body = TypeVar("Body", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class DisplayOptions:
    console: Console


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What the command line says about server and state; None where it is silent."""

    server: str | None = None
    state: Path | None = None

    def overrides(self) -> Mapping[str, tuple[str, str]]:
        """Settings by key: the text and the option that gave it."""
        said = {
            "service.server": (self.server, "--server"),
            "state.dir": (None if self.state is None else str(self.state), "--state"),
        }
        return {key: (text, origin) for key, (text, origin) in said.items() if text is not None}


@dataclass(frozen=True, slots=True)
class RecipeOptions:
    """What a recipe is to be planned with."""

    recipe: str
    inputs: tuple[Said, ...]
    budget: Decimal | None
    maxima: Mapping[str, int]
    locked: bool = False


@dataclass(frozen=True, slots=True)
class ReuseFlags:
    """What the command line says about results of earlier runs."""

    source: str | None = None
    redo: tuple[str, ...] = ()
    start: str | None = None


def display_options(body: Body) -> Callable[..., Any]:
    """`--json --quiet --no-color -v --log-file --log-format` → `display`, and the log as they say."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout; talk goes to stderr.")
    @click.option("--quiet", "-q", is_flag=True, help="No talk; the result and errors alone.")
    @click.option("--no-color", is_flag=True, help="No colours (NO_COLOR does the same).")
    @click.option("-v", "--verbose", count=True, help="Log each step to stderr; -vv logs everything.")
    @click.option("--log-file", type=NamedPath(), metavar="FILE", help="Append the whole log to FILE.")
    @click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="Form of the log [text].")
    @wraps(body)
    def with_display(
        *args: Any,
        as_json: bool,
        quiet: bool,
        no_color: bool,
        verbose: int,
        log_file: Path | None,
        log_format: str,
        **words: Any,
    ) -> Any:
        if verbose or log_file is not None:
            from zenflow.cli.terminal.log import set_up  # only who wants a log loads it

            set_up(verbose, log_file, log_format == "json")
        return body(*args, display=DisplayOptions(Console(json=as_json, quiet=quiet, no_color=no_color)), **words)

    return with_display


def state_option(body: Body) -> Callable[..., Any]:
    """`--state` → `where`, for commands that talk to no server."""

    @click.option("--state", type=NamedPath(), metavar="DIR", help="Where the journal lies.")
    @wraps(body)
    def with_state(*args: Any, state: Path | None, **words: Any) -> Any:
        return body(*args, where=ServerOptions(None, state), **words)

    return with_state


def server_options(body: Body) -> Callable[..., Any]:
    """`--server --state` → `where`."""

    @click.option("--server", metavar="WHERE", help="sandbox, zencreator, or the URL of an MCP server.")
    @click.option("--state", type=NamedPath(), metavar="DIR", help="Where the journal lies.")
    @wraps(body)
    def with_server(*args: Any, server: str | None, state: Path | None, **words: Any) -> Any:
        return body(*args, where=ServerOptions(server, state), **words)

    return with_server


def recipe_options(body: Body) -> Callable[..., Any]:
    """`RECIPE -i --inputs --budget --max` → `asked`."""
    return _asked_options(click.argument("recipe")(_asked(body)))


def maybe_recipe_options(body: Body) -> Callable[..., Any]:
    """The same where something else may say the recipe; it is then the empty text."""
    return _asked_options(click.argument("recipe", required=False, default="")(_asked(body)))


def _asked_options(body: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_ASKED):
        body = option(body)
    return input_options(body)


_ASKED: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option("--budget", metavar="N", help="Never spend more than N credits."),
    click.option("maxima", "--max", multiple=True, metavar="STEP=N", help="Start at most N instances of STEP."),
    click.option("--locked", is_flag=True, help="Refuse what differs from zenflow.lock: for CI."),
)


def _asked(body: Body) -> Callable[..., Any]:
    @wraps(body)
    def with_recipe(
        *args: Any,
        recipe: str,
        said: tuple[Said, ...],
        budget: str | None,
        maxima: tuple[str, ...],
        locked: bool,
        **words: Any,
    ) -> Any:
        asked = RecipeOptions(
            recipe,
            said,
            parse_budget(budget),
            dict(parse_maximum(word) for word in maxima),
            locked,
        )
        return body(*args, asked=asked, **words)

    return with_recipe


def reuse_options(body: Body) -> Callable[..., Any]:
    """`--reuse --redo --from` → `options`: which results of earlier runs are taken instead of calls."""

    @click.option(
        "--reuse",
        is_flag=False,
        flag_value="any",
        metavar="[RUN|last|any]",
        help="Take finished results of identical requests.",
    )
    @click.option("--redo", multiple=True, metavar="STEP[.I]", help="Make this anew; keep the rest of the last run.")
    @click.option("--from", "start", metavar="STEP", help="Make STEP and what follows it anew; keep what is before.")
    @wraps(body)
    def with_reuse(*args: Any, reuse: str | None, redo: tuple[str, ...], start: str | None, **words: Any) -> Any:
        source = "last" if reuse is None and (redo or start) else reuse
        return body(*args, options=ReuseFlags(source, redo, start), **words)

    return with_reuse


def label_option(text: str) -> Callable[[Body], Callable[..., Any]]:
    """`--label KEY=VALUE` → `labels`."""

    def with_option(body: Body) -> Callable[..., Any]:
        @click.option("written", "--label", multiple=True, metavar="KEY=VALUE", help=text)
        @wraps(body)
        def with_labels(*args: Any, written: tuple[str, ...], **words: Any) -> Any:
            return body(*args, labels=dict(parse_label(word) for word in written), **words)

        return with_labels

    return with_option


def pick_option(body: Body) -> Callable[..., Any]:
    """`--pick STEP=1,3` → `picks`: instance to chosen places, counted from 1."""

    @click.option(
        "chosen", "--pick", multiple=True, metavar="STEP[.I]=1,3", help="Choose for a `pick` step beforehand."
    )
    @wraps(body)
    def with_picks(*args: Any, chosen: tuple[str, ...], **words: Any) -> Any:
        return body(*args, picks=dict(parse_pick(word) for word in chosen), **words)

    return with_picks
