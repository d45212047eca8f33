"""Media in inputs: the path, URL or UUID that somebody wrote → the form that the engine uses, or a problem.

A path becomes absolute. Nothing is uploaded, fetched or decoded; only the first bytes of a file are looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zenflow.media.data_urls import is_data_url, parse_data_url
from zenflow.media.local_files import Unfit, article, examine, too_large, why_not
from zenflow.media.types import kind_of, type_by_name
from zenflow.recipe.model import PathKey
from zenflow.recipe.schema.values import is_uuid
from zenflow.suggest import nearest

MEDIA_WORDS = frozenset({"image", "video", "audio"})
NO_FILE = "ZF510"
A_FOLDER = "ZF511"
UNREADABLE = "ZF512"
EMPTY_FILE = "ZF513"
TOO_LARGE = "ZF514"
OTHER_MEDIA = "ZF515"
BAD_URL = "ZF516"
NOTHING_FOUND = "ZF517"
OUTSIDE = "ZF518"
DAMAGED = "ZF519"
CODES: Mapping[str, str] = {"empty": EMPTY_FILE, "too_large": TOO_LARGE, "other_media": OTHER_MEDIA, "damaged": DAMAGED}
_MAX_FILES = 100_000
_SCHEME = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*)://|(?=(?:blob|javascript|file|about|content):)([a-z]+):", re.IGNORECASE
)
_GLOB = frozenset("*?[")

Report = Callable[[str, str, "str | None", PathKey], None]  # code, message, hint, where in the value


@dataclass(frozen=True, slots=True)
class MediaReader:
    """Where relative paths begin, whether they may leave that folder, and where to say what is wrong."""

    base: Path
    confined: Path | None  # the folder that a path may not leave; None: whoever runs the recipe has named it
    report: Report
    used: set[Path]

    def normal(self, value: Any, schema: Mapping[str, Any], path: PathKey = ()) -> Any:
        """The value with every medium in it in its final form."""
        kind = schema.get("type")
        if kind in MEDIA_WORDS:
            return self._medium(value, str(kind), path) if type(value) is str else value
        items = schema.get("items")
        if kind == "array" and isinstance(items, Mapping):
            if type(value) is str and items.get("type") in MEDIA_WORDS:
                value = self._listed(value, str(items["type"]), path)
            if type(value) is list:
                return [self.normal(item, items, (*path, position)) for position, item in enumerate(value)]
        properties = schema.get("properties")
        if kind == "object" and isinstance(properties, Mapping) and type(value) is dict:
            return {
                key: self.normal(item, properties[key], (*path, key)) if key in properties else item
                for key, item in value.items()
            }
        return value

    def _listed(self, text: str, kind: str, path: PathKey) -> Any:
        """A folder or a glob where a list of media is wanted (rule 7)."""
        if is_uuid(text) or "://" in text or is_data_url(text):
            return [text]
        text = self._from_home(text)
        try:
            place = self.base / text
            if place.is_dir():
                found = list(_media_files(place, kind))
            elif _GLOB & set(text) and not place.exists():
                hidden = text.rpartition("/")[2].startswith(".")
                entries = _globbed(self.base, text)
                found = sorted(entry for entry in entries if entry.is_file() and hidden >= entry.name.startswith("."))
            else:
                return [text]
        except (OSError, ValueError, NotImplementedError) as error:
            self.report(UNREADABLE, f"`{text}` cannot be looked through: {_reason(error)}", None, path)
            return []
        if not found:
            self.report(NOTHING_FOUND, f"there is no {kind} at `{text}`", None, path)
        if len(found) > _MAX_FILES:
            self.report(NOTHING_FOUND, f"`{text}` gives more than {_MAX_FILES:,} files", None, path)
            return []
        return [str(entry) for entry in found]

    def _medium(self, text: str, kind: str, path: PathKey) -> str:
        if is_uuid(text):
            return text
        if is_data_url(text):
            self._check_data_url(text, kind, path)
            return text
        scheme = scheme_of(text)
        if scheme is not None:
            self._check_url(text, scheme, path)
            return text
        return self._file(self._from_home(text), kind, path)

    def _from_home(self, text: str) -> str:
        """Not every shell replaces `~` behind `photo=` (zsh does not), and no shell does in a file of inputs."""
        return os.path.expanduser(text) if text.startswith("~/") and self.confined is None else text

    def _check_url(self, text: str, scheme: str, path: PathKey) -> None:
        try:
            host = urlsplit(text).hostname
        except ValueError:
            host = None
        if scheme not in {"http", "https"}:
            self.report(BAD_URL, *wrong_scheme(scheme), path)
        elif not host or any(character.isspace() for character in text):
            self.report(BAD_URL, f"`{text[:80]}` is no complete URL", None, path)

    def _check_data_url(self, text: str, kind: str, path: PathKey) -> None:
        try:
            found = parse_data_url(text)
        except ValueError as error:
            self.report(BAD_URL, str(error), None, path)
            return
        if why_not(found.media_type, kind) is not None:
            self.report(
                OTHER_MEDIA, f"the data: URL holds {found.media_type}, and {article(kind)} is wanted", None, path
            )
        elif not found.data:
            self.report(EMPTY_FILE, "the data: URL is empty", None, path)
        elif (large := too_large(len(found.data))) is not None:
            self.report(TOO_LARGE, f"the data: URL {large.said}", large.hint, path)

    def _file(self, text: str, kind: str, path: PathKey) -> str:
        try:
            place = Path(os.path.abspath(self.base / text))
            if self.confined is not None and not place.resolve().is_relative_to(self.confined.resolve()):
                self.report(
                    OUTSIDE,
                    f"`{text}` is outside the workspace or repository of the recipe",
                    "Name the file when you run the recipe.",
                    path,
                )
                return text
            self._check_file(place, text, kind, path)
        except (OSError, ValueError) as error:
            self.report(UNREADABLE, f"`{text[:200]}` cannot be read: {_reason(error)}", None, path)
            return text
        self.used.add(place)
        return str(place)

    def _check_file(self, place: Path, text: str, kind: str, path: PathKey) -> None:
        if not text:
            self.report(NO_FILE, "the path is empty", None, path)
            return
        if not place.exists():
            self.report(NO_FILE, f"there is no file `{text}`", nearby(place), path)
            return
        if place.is_dir():
            self.report(A_FOLDER, f"`{text}` is a folder, and one {kind} is wanted", _one_of(place, kind), path)
            return
        if not place.is_file():
            self.report(UNREADABLE, f"`{text}` is no regular file", None, path)
            return
        found = examine(place, kind)
        if isinstance(found, Unfit):
            self.report(CODES[found.trouble], f"`{text}` {found.said}", found.hint, path)


def scheme_of(text: str) -> str | None:
    """Give the scheme of an address in small letters; None for a path, a drive of Windows among them."""
    found = _SCHEME.match(text)
    return None if found is None else (found[1] or found[2]).lower()


def wrong_scheme(scheme: str) -> tuple[str, str | None]:
    """Say that nobody can fetch an address of this scheme, and what to do."""
    hint = "Write the path alone." if scheme == "file" else "Save the file, and give its path."
    return f"the service fetches http(s) URLs, not `{scheme}:`", hint


def _media_files(folder: Path, kind: str) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        media_type = type_by_name(entry.name)
        if (
            media_type is not None
            and kind_of(media_type) == kind
            and not entry.name.startswith(".")
            and entry.is_file()
        ):
            yield entry


def _globbed(base: Path, pattern: str) -> Iterator[Path]:
    path = Path(pattern)
    if path.is_absolute():
        return Path(path.anchor).glob(str(path.relative_to(path.anchor)))
    return base.glob(pattern)


def nearby(place: Path) -> str | None:
    try:
        names = [entry.name for entry in place.parent.iterdir()][:1000]
    except OSError:
        return f"There is no folder {place.parent} either."
    near = nearest(place.name, names)
    return f"Did you mean `{near}`?" if near else f"Put the file there, or name another:\n{place}"


def _one_of(folder: Path, kind: str) -> str | None:
    first = next(_media_files(folder, kind), None)
    return None if first is None else f"Name one of its files, such as {first.name}."


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
