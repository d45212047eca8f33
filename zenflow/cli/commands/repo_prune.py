"""`zenflow repo prune`: remove from the cache what no workspace needs."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder
from zenflow.cli.params.options import DisplayOptions, display_options


@click.command("prune")
@display_options
def command(display: DisplayOptions) -> int:
    """Remove cached commits that no workspace on this machine has locked."""
    from zenflow.app.config.workspace import find_workspace
    from zenflow.app.sharing.inventory import prune
    from zenflow.cli.terminal.units import plural, size

    commits, freed, folder = prune(find_workspace(current_folder()))
    display.console.show(f"Removed {plural(commits, 'commit')} from {folder}: {size(freed)}.")
    display.console.document("done", None, {"cache": str(folder), "commits": commits, "bytes": freed})
    return 0
