"""`zenflow version`: the version, and what it runs on."""

from __future__ import annotations

import platform
import sys

import click

from zenflow import __version__
from zenflow.cli.params.options import Talk, talk_options


@click.command("version")
@talk_options
def command(talk: Talk) -> int:
    """The version of zenflow, and what it runs on."""
    python = platform.python_version()
    talk.console.show(f"zenflow {__version__}\nPython {python} on {platform.system()} ({sys.platform})")
    talk.console.document("done", None, {"version": __version__, "python": python, "platform": sys.platform})
    return 0
