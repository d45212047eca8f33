"""`zenflow repo verify`: the cache and the copies against the lock."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder
from zenflow.cli.params.options import DisplayOptions, display_options
from zenflow.cli.terminal import exit_codes as exits


@click.command("verify")
@display_options
def command(display: DisplayOptions) -> int:
    """Compare every locked file with the cache and vendor/. Status 1 if any differs."""
    from zenflow.app.config.workspace import find_workspace
    from zenflow.app.sharing.inventory import verify
    from zenflow.cli.views.repositories import show_verification

    count, found = verify(find_workspace(current_folder()))
    show_verification(count, found, display.console)
    return exits.FAILED if found else exits.DONE
