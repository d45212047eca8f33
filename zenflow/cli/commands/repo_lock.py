"""`zenflow repo lock`: pin what zenflow.toml names and zenflow.lock does not hold."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder
from zenflow.cli.params.options import DisplayOptions, display_options


@click.command("lock")
@click.option("--repair", is_flag=True, help="Write the cached files of each locked commit again.")
@display_options
def command(repair: bool, display: DisplayOptions) -> int:
    """Write zenflow.lock: a commit and digests for each repository that it lacks."""
    from zenflow.app.config.workspace import find_workspace
    from zenflow.app.sharing.lock import lock
    from zenflow.cli.views.repositories import show_lock

    show_lock(lock(find_workspace(current_folder()), repair=repair), display.console)
    return 0
