"""`zenflow list`: every recipe that can be run here."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, state_option
from zenflow.cli.running.event_loop import wait_for


@click.command("list")
@state_option
@display_options
def command(where: ServerOptions, display: DisplayOptions) -> int:
    """Print every recipe of this workspace and of its repositories. Works offline."""
    from zenflow.app.sharing.recipes import list_recipes
    from zenflow.cli.views.recipes import draw_recipes, recipes_document

    found = wait_for(list_recipes(settings_here(where), current_folder()))
    display.console.show(draw_recipes(found, display.console.style, display.console.width))
    display.console.document("done", None, recipes_document(found))
    return 0
