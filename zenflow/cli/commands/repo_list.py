"""`zenflow repo list`: the repositories of this workspace."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder
from zenflow.cli.params.options import DisplayOptions, display_options


@click.command("list")
@display_options
def command(display: DisplayOptions) -> int:
    """Print each repository with its commit, its recipes and newer tags. Works offline."""
    from zenflow.app.config.workspace import find_workspace
    from zenflow.app.sharing.inventory import list_repositories
    from zenflow.cli.views.repositories import draw_repositories, repositories_document

    rows = list_repositories(find_workspace(current_folder()))
    display.console.show(draw_repositories(rows, display.console.style, display.console.width))
    display.console.document("done", None, repositories_document(rows))
    return 0
