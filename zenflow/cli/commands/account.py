"""`zenflow account`: who is signed in, and the balance."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.running.event_loop import wait_for


@click.command("account")
@server_options
@display_options
def command(where: ServerOptions, display: DisplayOptions) -> int:
    """Show the account on the server: balance, gates, and what runs here have set aside."""
    from zenflow.app.queries.account import account
    from zenflow.cli.views.account import account_document, draw_account

    found = wait_for(account(settings_here(where)))
    console = display.console
    console.show(draw_account(found, console.style, console.width))
    console.document("done", None, account_document(found))
    return 0
