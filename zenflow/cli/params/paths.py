"""A path on the command line: never the empty one, which would be the current folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


class NamedPath(click.Path):
    """`--out "$DIR"` with DIR unset is a mistake: files and journal would land wherever one stands."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if os.fspath(value) == "":
            self.fail("the path is empty; the current folder is `.`", param, ctx)
        return super().convert(value, param, ctx)
