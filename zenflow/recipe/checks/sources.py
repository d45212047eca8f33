"""Are the files fit for an upload that a recipe itself names? Looks at the disk, so it is no part of reading a stored recipe.

A run's own copy of a recipe outlives such files: what was uploaded once is not needed again. Hence apart from `check`.
"""

from __future__ import annotations

from zenflow.problems import Problems
from zenflow.recipe.inputs.sources import SourceReader
from zenflow.recipe.model import Recipe
from zenflow.recipe.trees import leads_out


def check_sources(recipe: Recipe, problems: Problems, read: SourceReader | None = None) -> None:
    """Every literal `source` of the recipe and of those that it uses."""
    read = read or SourceReader()
    for step in recipe.steps.values():
        if step.recipe is not None:
            check_sources(step.recipe, problems, read)
        source = step.with_.get("source") if step.kind == "action" and step.uses == "upload" else None
        if type(source) is not str or not source or leads_out(source, recipe.path, recipe.boundary):
            continue
        bad = read(source, recipe)
        if bad is not None:
            problems.error(bad.code, bad.message, step.places.value("with", "source"), bad.hint)
