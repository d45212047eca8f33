"""What the `source` of an upload names, examined before anything runs: a file, an address, a `data:` URL or an asset.

A run refuses the same things, later. Looks at the disk; asks no server.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zenflow.media.data_urls import is_data_url, is_web_url, parse_data_url
from zenflow.media.local_files import Unfit, examine, too_large, why_not
from zenflow.recipe.inputs.media import (
    A_FOLDER,
    BAD_URL,
    CODES,
    EMPTY_FILE,
    NO_FILE,
    OTHER_MEDIA,
    OUTSIDE,
    TOO_LARGE,
    UNREADABLE,
    nearby,
    scheme_of,
    wrong_scheme,
)
from zenflow.recipe.inputs.media_leaves import media_in
from zenflow.recipe.model import Recipe
from zenflow.recipe.schema.values import is_uuid


@dataclass(frozen=True, slots=True)
class BadSource:
    """Why a source cannot be uploaded."""

    code: str
    message: str
    hint: str | None = None


@dataclass(slots=True)
class SourceReader:
    """Examines each source once. `media`: values of media inputs, which are examined where they are given."""

    media: Collection[str] = ()
    _known: dict[tuple[str, Path], BadSource | None] = field(default_factory=dict)

    def __call__(self, source: str, recipe: Recipe) -> BadSource | None:
        """Say what is wrong with a source that a recipe names; None when nothing is."""
        key = (source, recipe.path)
        if key not in self._known:
            self._known[key] = self._bad(source, recipe)
        return self._known[key]

    def _bad(self, source: str, recipe: Recipe) -> BadSource | None:
        if not source or source in self.media or is_web_url(source) or is_uuid(source):
            return None  # an empty one is told by the schema
        if is_data_url(source):
            return bad_data_url(source)
        scheme = scheme_of(source)
        if scheme is not None:
            return BadSource(BAD_URL, *wrong_scheme(scheme))
        try:
            return _bad_file(source, recipe)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return BadSource(UNREADABLE, f"`{source[:200]}` cannot be read: {reason}")


def _bad_file(source: str, recipe: Recipe) -> BadSource | None:
    path = (recipe.path.parent / source).resolve()
    if not path.is_relative_to(recipe.boundary.resolve()):
        hint = "Declare an input of type image, video or audio, and name the file when you run it."
        return BadSource(OUTSIDE, f"`{source}` lies outside the recipe's workspace or repository", hint)
    if path.is_dir():
        return BadSource(A_FOLDER, f"`{source}` is a folder, and one file is wanted")
    if not path.exists() and source != source.strip() and (recipe.path.parent / source.strip()).exists():
        hint = "Write the expression on one line, with nothing beside it: `|` adds a line end."
        return BadSource(NO_FILE, f"there is no file {json.dumps(source, ensure_ascii=False)}", hint)
    if not path.exists():
        return BadSource(NO_FILE, f"there is no file `{source}`", nearby(path))
    found = examine(path)
    return BadSource(CODES[found.trouble], f"`{source}` {found.said}", found.hint) if isinstance(found, Unfit) else None


def source_reader(recipe: Recipe, inputs: Mapping[str, object]) -> SourceReader:
    """Give the reader for one recipe with its inputs."""
    media = {one for name, spec in recipe.inputs.items() for one in media_in(inputs.get(name), spec.schema)}
    return SourceReader(frozenset(media))


def bad_data_url(source: str) -> BadSource | None:
    """Say what is wrong with a `data:` URL, of whatever kind."""
    try:
        found = parse_data_url(source)
    except ValueError as error:
        return BadSource(BAD_URL, str(error), "Write `data:image/png;base64,…`.")
    unfit = why_not(found.media_type, None)
    if unfit is not None:
        return BadSource(OTHER_MEDIA, f"the service takes no `{found.media_type}`", unfit.hint)
    if not found.data:
        return BadSource(EMPTY_FILE, "the data: URL is empty")
    large = too_large(len(found.data))
    return None if large is None else BadSource(TOO_LARGE, f"the data: URL {large.said}", large.hint)
