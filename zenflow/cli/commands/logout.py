"""`zenflow logout`: forget a sign-in, here and at the server."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options
from zenflow.cli.running.event_loop import wait_for


@click.command("logout")
@click.option("--server", metavar="WHERE", help="zencreator, or the URL of an MCP server.")
@display_options
def command(server: str | None, display: DisplayOptions) -> int:
    """Forget the sign-in, and end it at the server where it offers that."""
    from zenflow.app.queries.login import logout
    from zenflow.cli.views.login import draw_signed_out, signed_out_document

    found = wait_for(logout(settings_here(ServerOptions(server, None))))
    display.console.show(draw_signed_out(found))
    display.console.document("done", None, signed_out_document(found))
    return 0
