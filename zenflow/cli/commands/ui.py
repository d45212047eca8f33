"""`zenflow ui`: a local web view of this workspace."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits


@click.command("ui")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free port.")
@click.option("--open", "show", is_flag=True, help="Open the view in your browser.")
@server_options
@display_options
def command(port: int, show: bool, where: ServerOptions, display: DisplayOptions) -> int:
    """Show runs, prices, choices and costs in a browser on this machine. Ctrl-C ends it; runs are drained first."""
    from zenflow.web.server import serve

    settings, current = settings_here(where), current_folder()

    def ready(address: str) -> None:
        display.console.show(f"Open {address}\nOnly this machine can reach it. Ctrl-C stops it.")
        display.console.document("done", None, {"address": address})
        if show:
            click.launch(address)

    wait_for(serve(settings, port, current, ready))
    return exits.DONE
