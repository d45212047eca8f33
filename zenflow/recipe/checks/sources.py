"""Are the files there that a recipe itself names in `upload`? Looks at the disk, so it is no part of reading a stored recipe.

A run's own copy of a recipe outlives such files: what was uploaded once is not needed again. Hence apart from `check`.
"""

from __future__ import annotations

from zenflow.problems import Place, Problems
from zenflow.recipe.inputs.media import A_FOLDER, BAD_URL, NO_FILE, OTHER_MEDIA, nearby
from zenflow.recipe.inputs.media_leaves import is_local_file
from zenflow.recipe.media_types import MEDIA_TYPES, parse_data_url
from zenflow.recipe.model import Recipe
from zenflow.recipe.trees import leads_out


def check_sources(recipe: Recipe, problems: Problems) -> None:
    """Every literal `source` of the recipe and of those that it uses."""
    for step in recipe.steps.values():
        if step.recipe is not None:
            check_sources(step.recipe, problems)
        source = step.with_.get("source") if step.kind == "action" and step.uses == "upload" else None
        if type(source) is not str or not source or leads_out(source, recipe.path, recipe.boundary):
            continue
        if source.startswith("data:"):
            _check_data_url(source, step.places.value("with", "source"), problems)
        if not is_local_file(source):
            continue
        file, place = recipe.path.parent / source, step.places.value("with", "source")
        try:
            if file.is_dir():
                problems.error(A_FOLDER, f"`{source}` is a folder, and one file is wanted", place)
            elif not file.exists():
                problems.error(NO_FILE, f"there is no file `{source}`", place, nearby(file))
        except (OSError, ValueError) as error:
            problems.error(NO_FILE, f"`{source[:200]}` is no path: {error}", place)


def _check_data_url(source: str, place: Place | None, problems: Problems) -> None:
    try:
        media_type = parse_data_url(source).media_type
    except ValueError as error:
        problems.error(BAD_URL, str(error), place, "`data:image/png;base64,…`")
        return
    if media_type not in MEDIA_TYPES:
        hint = f"It takes {', '.join(MEDIA_TYPES)}."
        problems.error(OTHER_MEDIA, f"the service takes no `{media_type}`", place, hint)
