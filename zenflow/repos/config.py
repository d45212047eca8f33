"""The tables `[repos.NAME]` of a `zenflow.toml`, and `[repo]` of a repository's own.

Of the file of a repository nothing else is read: no server, no output folder, no limits.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zenflow import __version__
from zenflow.errors import UsageError
from zenflow.repos.addresses import NAME, Address, checked_address, checked_path, checked_revision
from zenflow.suggest import did_you_mean

WRONG, TOO_OLD = "ZF540", "ZF555"
_KEYS = ("url", "rev", "path")
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Declared:
    """One repository as its user declares it. `path`: the folder in it that recipes are named from."""

    name: str
    address: Address
    rev: str
    path: str = ""
    written_url: str = ""  # as in the file: a local path may be relative


@dataclass(frozen=True, slots=True)
class AboutRepository:
    """What `[repo]` says: words for people, and the version of zenflow that is needed."""

    name: str = ""
    description: str = ""
    declared: Mapping[str, Declared] = field(default_factory=dict)


def declared_in(tables: Mapping[str, Any], file: str, base: Path, parent: Address | None = None) -> dict[str, Declared]:
    """Return the repositories of `[repos]`, by name. `parent`: the repository whose file it is. Raises UsageError."""
    found = tables.get("repos", {})
    if not isinstance(found, dict):
        raise UsageError(WRONG, f"invalid `repos` in {file}: expected tables", "As in `[repos.studio]`.")
    return {name: _declared(name, entry, file, base, parent) for name, entry in found.items()}


def _declared(name: str, entry: Any, file: str, base: Path, parent: Address | None) -> Declared:
    where = f"[repos.{name}] in {file}"
    if not NAME.fullmatch(name):
        raise UsageError(WRONG, f"invalid name in {where}", "Use 2 to 64 letters, digits, `-` and `_`, as in `studio`.")
    if not isinstance(entry, dict):
        raise UsageError(WRONG, f"invalid {where}: expected a table", "It holds `url`, `rev` and `path`.")
    for key, value in entry.items():
        if key not in _KEYS:
            raise UsageError(
                WRONG, f"unknown key `{key}` in {where}", did_you_mean(key, _KEYS) or f"Known: {', '.join(_KEYS)}."
            )
        if not isinstance(value, str):
            raise UsageError(WRONG, f"invalid `{key}` in {where}: expected text in quotes", 'As in `rev = "v1.4.0"`.')
    for key in ("url", "rev"):
        if key not in entry:
            example = 'rev = "v1.4.0"' if key == "rev" else 'url = "https://git.example.com/studio/recipes.git"'
            raise UsageError(WRONG, f"missing `{key}` in {where}", f"Add `{example}`.")
    try:
        address = checked_address(entry["url"], typed=parent is None, base=base, parent=parent)
        path = checked_path(entry.get("path", ""), "path")
        return Declared(name, address, checked_revision(entry["rev"]), path, entry["url"])
    except UsageError as error:
        raise UsageError(error.code, f"{error.message}, in {where}", error.hint) from None


def tables_of(file: Path) -> Mapping[str, Any]:
    """Return a file of TOML; empty where there is none. Raises UsageError."""
    try:
        data = file.read_bytes()[: MAX_BYTES + 1]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(WRONG, f"unreadable file: {file}: {error.strerror or error}") from None
    return parsed_tables(data, str(file))


def parsed_tables(data: bytes, file: str) -> Mapping[str, Any]:
    """Return the tables of TOML. Raises UsageError."""
    if len(data) > MAX_BYTES:
        raise UsageError(WRONG, f"invalid {file}: larger than 1 MiB", "Settings are a few lines of TOML.")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(WRONG, f"invalid TOML in {file}: {error}", "Correct that line.") from None


def about(data: bytes, label: str, address: Address) -> AboutRepository:
    """Return what the `zenflow.toml` of a repository says of it. Raises UsageError, also for a zenflow that is too old."""
    file = f"{label}:zenflow.toml"
    tables = parsed_tables(data, file)
    own = tables.get("repo", {})
    own = own if isinstance(own, dict) else {}
    required = own.get("requires")
    if isinstance(required, str) and not satisfies(__version__, required):
        hint = "Install a zenflow that it takes, or use an older version of the repository."
        raise UsageError(TOO_OLD, f"{label} requires zenflow {required}, and this is {__version__}", hint)
    words = {key: str(own.get(key, ""))[:500] for key in ("name", "description")}
    return AboutRepository(**words, declared=declared_in(tables, file, Path("/"), address))


def satisfies(version: str, required: str) -> bool:
    """Whether a version is in `>=0.2,<1`. A requirement that cannot be read is not met."""
    for part in required.split(","):
        found = re.fullmatch(r"\s*(>=|<=|==|>|<)\s*(\d+(?:\.\d+)*)\s*", part)
        if found is None:
            return False
        have, want = _numbers(version), _numbers(found[2])
        order = (have > want) - (have < want)
        if order not in {">=": (0, 1), "<=": (0, -1), "==": (0,), ">": (1,), "<": (-1,)}[found[1]]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:4]]
    return tuple(numbers + [0] * (4 - len(numbers)))
