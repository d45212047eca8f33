"""`zenflow validate RECIPE`: all problems at once, each with its place."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.input_options import InputsInOrder, Said, input_options
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.running.event_loop import wait_for


@click.command("validate", cls=InputsInOrder)
@click.argument("recipe")
@input_options
@click.option("form", "--format", type=click.Choice(["text", "json", "github"]), default="text", help="How to tell.")
@server_options
@display_options
def command(recipe: str, said: tuple[Said, ...], form: str, where: ServerOptions, display: DisplayOptions) -> int:
    """Check RECIPE: its text, its references, its parameters against the tools. Nothing is sent that costs.

    Every finding has a code: `zenflow explain CODE` says what it means.
    """
    from zenflow.app.planning.prepare import RecipeRequest
    from zenflow.app.planning.validate import validate
    from zenflow.cli.views.validation import show_validation

    request = RecipeRequest(recipe=recipe, current=current_folder(), inputs=said)
    validation = wait_for(validate(request, settings_here(where)))
    show_validation(validation, display.console, form)
    return validation.status
