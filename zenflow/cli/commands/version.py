"""`zenflow version`: the version, and what it runs on."""

from __future__ import annotations

import platform
import sys

import click

from zenflow import __version__
from zenflow.cli.params.options import DisplayOptions, display_options


@click.command("version")
@display_options
def command(display: DisplayOptions) -> int:
    """The version of zenflow, and what it runs on."""
    python = platform.python_version()
    display.console.show(f"zenflow {__version__}\nPython {python} on {platform.system()} ({sys.platform})")
    display.console.document("done", None, {"version": __version__, "python": python, "platform": sys.platform})
    return 0
