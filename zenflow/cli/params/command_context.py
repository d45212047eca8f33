"""From words to requests: the settings in force where the command was typed, and what was asked of a recipe."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from zenflow.app.config.settings import Settings, load_settings
from zenflow.app.config.workspace import find_workspace
from zenflow.cli.params.options import RecipeOptions, ReuseFlags, ServerOptions
from zenflow.errors import UsageError


def settings_here(where: ServerOptions) -> Settings:
    """Raises UsageError for settings that cannot be."""
    from zenflow.cli.params.trust_question import ask_to_trust

    current = current_folder()
    settings = load_settings(find_workspace(current), os.environ, where.overrides(), current=current)
    return replace(settings, confirm=ask_to_trust)


def recipe_words(asked: RecipeOptions, options: ReuseFlags | None = None) -> dict[str, Any]:
    """The fields of a `RecipeRequest`."""
    from zenflow.app.planning.reuse_options import ReuseOptions

    said = options or ReuseFlags()
    return {
        "reuse": ReuseOptions(source=said.source, redo=said.redo, start=said.start),
        "recipe": asked.recipe,
        "current": current_folder(),
        "inputs": asked.inputs,
        "budget": asked.budget,
        "maxima": asked.maxima,
        "locked": asked.locked,
    }


def recipes_here(command: str) -> str:
    """A hint for whoever left RECIPE out: what may stand there, and one whole line to type; or how to come by recipes."""
    from zenflow.recipe.load import NO_RECIPES, recipe_names

    names = recipe_names(current_folder())
    listing = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    return f"There are: {listing}. For example `{command} {names[0]}`." if names else NO_RECIPES


def current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError("ZF008", "The current folder is gone.", "Change to one that exists.") from error
