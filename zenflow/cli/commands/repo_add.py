"""`zenflow repo add NAME URL`: name a repository in zenflow.toml, and pin it."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder
from zenflow.cli.params.options import DisplayOptions, display_options


@click.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--rev", metavar="REV", help="Use this tag, branch or commit [default: the newest tag].")
@click.option("--path", default="", metavar="DIR", help="Name recipes from this folder of the repository.")
@display_options
def command(name: str, url: str, rev: str | None, path: str, display: DisplayOptions) -> int:
    """Add the git repository at URL as NAME, and pin it in zenflow.lock."""
    from zenflow.app.config.workspace import find_workspace
    from zenflow.app.sharing.lock import AddRequest, add
    from zenflow.cli.views.repositories import show_lock

    current = current_folder()
    request = AddRequest(name=name, url=url, current=current, rev=rev, path=path)
    show_lock(add(request, find_workspace(current)), display.console)
    return 0
