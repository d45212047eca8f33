"""The digests of the local files that a run's inputs name: a run keeps them, and a resume compares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zenflow.recipe.digests import file_digest
from zenflow.recipe.inputs.media_leaves import is_local_file, media_in
from zenflow.recipe.model import Recipe

OPTION = "input_files"
"""The key in a run's options: path → SHA-256."""


def digests_of_inputs(recipe: Recipe, inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return the digest of each local file that an input names, by absolute path. One that cannot be read is left out."""
    found: dict[str, str] = {}
    for name, spec in recipe.inputs.items():
        for medium in media_in(inputs.get(name), spec.schema):
            if not is_local_file(medium):
                continue
            path = (recipe.path.parent / medium).resolve()
            try:
                found[str(path)] = file_digest(path)
            except OSError:
                continue
    return found


def changed_files(recorded: Mapping[str, str], uploaded: frozenset[str]) -> list[str]:
    """Return the files whose bytes differ from those recorded. What is uploaded already is left out."""
    changed = []
    for path, digest in recorded.items():
        if digest in uploaded:
            continue
        try:
            if file_digest(Path(path)) != digest:
                changed.append(path)
        except OSError:
            continue  # a missing file has an error of its own
    return changed
