"""`zenflow config`: each setting with its value and where that came from."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options


@click.command("config")
@server_options
@display_options
def command(where: ServerOptions, display: DisplayOptions) -> int:
    """Show each setting with its value and its origin: command line, environment, zenflow.toml, default."""
    from zenflow.cli.views.config import config_document, draw_config

    settings = settings_here(where)
    console = display.console
    console.show(draw_config(settings, console.style, console.width))
    console.document("done", None, config_document(settings))
    return 0
