"""`zenflow repo vendor NAME`: copy a repository into vendor/, for places without a network."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder
from zenflow.cli.params.options import DisplayOptions, display_options


@click.command("vendor")
@click.argument("name")
@display_options
def command(name: str, display: DisplayOptions) -> int:
    """Copy the locked commit of NAME into vendor/NAME. Runs then use that copy."""
    from zenflow.app.config.workspace import find_workspace
    from zenflow.app.sharing.inventory import vendor
    from zenflow.cli.terminal.headings import relative_path

    folder, count = vendor(name, find_workspace(current_folder()))
    display.console.show(f"Copied {count} files to {relative_path(folder)}. Commit that folder.")
    display.console.document("done", None, {"folder": str(folder), "files": count})
    return 0
