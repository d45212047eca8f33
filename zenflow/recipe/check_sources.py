"""Are the files there that a recipe itself names in `upload`? Looks at the disk, so it is no part of reading a stored recipe.

A run's own copy of a recipe outlives such files: what was uploaded once is not needed again. Hence apart from `check`.
"""

from __future__ import annotations

from zenflow.problems import Problems
from zenflow.recipe.check_parameters import leads_out
from zenflow.recipe.input_media import A_FOLDER, NO_FILE, nearby
from zenflow.recipe.media_leaves import is_local_file
from zenflow.recipe.model import Recipe


def check_sources(recipe: Recipe, problems: Problems) -> None:
    """Every literal `source` of the recipe and of those that it uses."""
    for step in recipe.steps.values():
        if step.recipe is not None:
            check_sources(step.recipe, problems)
        source = step.with_.get("source") if step.kind == "action" and step.uses == "upload" else None
        if type(source) is not str or not source or not is_local_file(source) or leads_out(source):
            continue
        file, place = recipe.path.parent / source, step.places.value("with", "source")
        try:
            if file.is_dir():
                problems.error(A_FOLDER, f"`{source}` is a folder, and one file is wanted", place)
            elif not file.exists():
                problems.error(NO_FILE, f"there is no file `{source}`", place, nearby(file))
        except (OSError, ValueError) as error:
            problems.error(NO_FILE, f"`{source[:200]}` is no path: {error}", place)
