"""The media that a recipe of a repository names itself: each is compared with the lock before anything reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from zenflow.errors import UsageError
from zenflow.problems import Place, Problems
from zenflow.recipe.model import Recipe
from zenflow.recipe.schema.values import is_uuid, media_leaves
from zenflow.recipe.trees import NO_FILE, Tree, leads_out

_GLOB = re.compile(r"[*?\[]")


def check_repository_files(recipe: Recipe, tree: Tree, problems: Problems) -> None:
    """Report every default and every literal `source` whose file is not the one that was locked."""
    for text, place in _named(recipe):
        if is_uuid(text) or text.startswith(("http://", "https://", "data:")):
            continue
        if leads_out(text, recipe.path, recipe.boundary):
            continue  # reported already
        try:
            tree.check_file(_searched(recipe.path.parent / text))
        except UsageError as error:
            if error.code != NO_FILE or (recipe.path.parent / text).exists():
                problems.error(error.code, error.message, place, error.hint)


def _named(recipe: Recipe) -> Iterator[tuple[str, Place]]:
    for spec in recipe.inputs.values():
        if spec.default is not None:
            for path, _, text in media_leaves(spec.default, spec.schema):
                yield text, spec.places.value("default", *path)
            if isinstance(spec.default, str) and spec.type == "array":
                yield spec.default, spec.places.value("default")
    for step in recipe.steps.values():
        source = step.with_.get("source") if step.uses == "upload" else None
        if type(source) is str and source:
            yield source, step.places.value("with", "source")


def _searched(path: Path) -> Path:
    """The folder that a pattern is searched in; any other path as it is."""
    parts = list(path.parts)
    first = next((at for at, part in enumerate(parts) if _GLOB.search(part)), None)
    return path if first is None or path.exists() else Path(*parts[:first])
