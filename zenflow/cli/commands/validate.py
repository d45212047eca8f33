"""`zenflow validate RECIPE`: all problems at once, each with its place."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli.here import current_folder, settings_here
from zenflow.cli.options import Talk, Where, server_options, talk_options
from zenflow.cli.waiting import wait_for
from zenflow.cli.words import parse_assignment


@click.command("validate")
@click.argument("recipe")
@click.option("inputs", "-i", "--input", multiple=True, metavar="NAME=VALUE", help="One input; `@file` reads it.")
@click.option("input_files", "--inputs", multiple=True, type=click.Path(path_type=Path), metavar="FILE")
@click.option("form", "--format", type=click.Choice(["text", "json", "github"]), default="text", help="How to tell.")
@server_options
@talk_options
def command(
    recipe: str, inputs: tuple[str, ...], input_files: tuple[Path, ...], form: str, where: Where, talk: Talk
) -> int:
    """Check RECIPE: its text, its references, its parameters against the tools. Nothing is sent that costs.

    Every finding has a code: `zenflow explain CODE` says what it means.
    """
    from zenflow.app.prepare import RecipeRequest
    from zenflow.app.validate import validate
    from zenflow.cli.views.validation import show_validation

    words = tuple(parse_assignment(word) for word in inputs)
    request = RecipeRequest(recipe=recipe, current=current_folder(), inputs=words, input_files=input_files)
    validation = wait_for(validate(request, settings_here(where)))
    show_validation(validation, talk.console, form)
    return validation.status
