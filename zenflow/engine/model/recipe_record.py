"""A recipe as the journal holds it, and back: its texts, where it was, the repositories that it used."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from zenflow.history.events import RunStarted
from zenflow.recipe.load import load_recipe_texts
from zenflow.recipe.model import Recipe
from zenflow.recipe.origins import origins_of


def recorded_recipe(recipe: Recipe) -> dict[str, Any]:
    """Return the fields of an event that tell which recipe a run is of."""
    return {
        "recipe_name": recipe.name,
        "recipe_version": recipe.version,
        "recipe_digest": recipe.digest,
        "recipe_root": recipe.path.name,
        "recipe_files": dict(recipe.files),
        "recipe_folder": str(recipe.path.parent.resolve()),
        "recipe_boundary": str(recipe.boundary.resolve()),
        "recipe_origins": {prefix: asdict(origin) for prefix, origin in recipe.origins.items()},
    }


def stored_recipe(started: RunStarted) -> Recipe:
    """The recipe as it was when the run began; a file changed since changes nothing (docs/money.md, “Resume”)."""
    folder = Path(started.recipe_folder)
    boundary = Path(started.recipe_boundary) if started.recipe_boundary else folder
    return load_recipe_texts(
        started.recipe_files, started.recipe_root, folder, boundary, origins_of(started.recipe_origins)
    )
