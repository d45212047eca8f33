"""`zenflow repo lock`: pin what zenflow.toml names and zenflow.lock does not hold."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder
from zenflow.cli.params.options import Talk, talk_options


@click.command("lock")
@click.option("--repair", is_flag=True, help="Write the cached files of each locked commit again.")
@talk_options
def command(repair: bool, talk: Talk) -> int:
    """Write zenflow.lock: a commit and digests for each repository that it lacks."""
    from zenflow.app.config.workspace import find_workspace
    from zenflow.app.sharing.lock import lock
    from zenflow.cli.views.repositories import show_lock

    show_lock(lock(find_workspace(current_folder()), repair=repair), talk.console)
    return 0
