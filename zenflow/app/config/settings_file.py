"""`zenflow.toml` → values with the line of each. All unknown keys and wrong values at once, each with its place.

Python's TOML reader tells no lines: they are found again by a scan that knows tables and keys, and falls back to the
table's head or the file's first line where a key is written in an unusual way.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zenflow.app.config.setting_specs import KEYS, TEXT_KINDS, Key, read_value
from zenflow.app.config.workspace import Workspace
from zenflow.errors import UsageError
from zenflow.problems import Place, Problem, Problems
from zenflow.suggest import did_you_mean, nearest

LARGEST = 1 << 20

_IN_FILE: Mapping[str, Key] = {key.name: key for key in KEYS if key.in_file}
_OF_REPOSITORIES = frozenset({"repos", "repo"})  # `zenflow.repos` reads them
_TABLES: tuple[str, ...] = tuple(dict.fromkeys(name.split(".")[0] for name in _IN_FILE))


class InvalidSettings(UsageError):
    """`zenflow.toml` has problems; all of them are in `problems`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].code, problems[0].message, problems[0].hint)
        self.problems = tuple(problems)


def read_settings_file(workspace: Workspace) -> dict[str, tuple[Any, str]]:
    """Value and origin of every key in the file; empty without one. Raises InvalidSettings."""
    if workspace.file is None:
        return {}
    text = _text_of(workspace.file)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings([_broken(workspace.file, text, str(error))]) from error
    problems = Problems()
    values = _values(workspace.file, text, tables, problems)
    if problems.has_errors:
        raise InvalidSettings(problems.in_order())
    return values


def _values(file: Path, text: str, tables: Mapping[str, Any], problems: Problems) -> dict[str, tuple[Any, str]]:
    spots = _Spots(str(file), text)
    values: dict[str, tuple[Any, str]] = {}
    for name, found in _flat(tables):
        key = _IN_FILE.get(name)
        if key is None:
            problems.error("ZF022", f"unknown key `{name}`", spots.key(name), _known_near(name))
            continue
        value, expected = read_value(key, found) if _suits(key, found) else (None, _expected(key))
        if expected is not None:
            problems.error(
                "ZF023",
                f"`{name}` is {_shown(found)}: {expected} was expected",
                spots.value(name),
                f"For example: {key.example}.",
            )
            continue
        values[name] = (value, f"{file.name}:{spots.key(name).line}")
    return values


def _flat(tables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for table, content in tables.items():
        if table in _TABLES and isinstance(content, dict):
            yield from ((f"{table}.{name}", value) for name, value in content.items())
        elif table not in _OF_REPOSITORIES:
            yield table, content


def _suits(key: Key, found: Any) -> bool:
    """TOML has types: a number in quotes is a slip, not a number."""
    if key.kind == "flag":
        return isinstance(found, bool)
    wants_text = key.kind in TEXT_KINDS
    return isinstance(found, str) if wants_text else isinstance(found, int | float) and not isinstance(found, bool)


def _expected(key: Key) -> str:
    if key.kind == "flag":
        return "true or false"
    return "text in quotes" if key.kind in TEXT_KINDS else "a number"


def _shown(found: Any) -> str:
    return f'"{found}"' if isinstance(found, str) else str(found).lower() if isinstance(found, bool) else str(found)


def _known_near(name: str) -> str:
    last = name.split(".")[-1]
    same = next((known for known in _IN_FILE if known.split(".")[-1] == last), None) or nearest(name, _IN_FILE)
    if same is not None:
        table, word = same.split(".")
        return f"Did you mean `{word}` in `[{table}]`?"
    known = did_you_mean(name, _TABLES)
    return known or f"Known are: {', '.join(_IN_FILE)}."


def _text_of(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST:
            raise UsageError("ZF024", f"{file} is larger than 1 MiB.", "Settings are a few lines of TOML.")
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("ZF024", f"{file} is not UTF-8 text.", "Save it as UTF-8.") from error
    except OSError as error:
        raise UsageError("ZF024", f"{file} cannot be read: {error.strerror}.") from error


def _broken(file: Path, text: str, said: str) -> Problem:
    match = re.search(r"\(at line (\d+), column (\d+)\)", said)
    line, column = (int(match[1]), int(match[2])) if match else (max(1, text.count("\n")), 1)
    message = said[: match.start()].strip() if match else said.removesuffix("(at end of document)").strip()
    message = f"this is no TOML: {message[:1].lower()}{message[1:]}"
    return Problem("ZF021", message, _place(file, line, column, column + 1))


def _place(file: Path | str, line: int, start: int, end: int) -> Place:
    return Place(str(file), line, start, line, max(end, start + 1))


_HEAD = re.compile(r"\s*\[\s*([\w.\"'-]+)\s*\]")
_KEY = re.compile(r"(\s*)([\w.\"'-]+)(\s*=\s*)(.*?)\s*(?:#.*)?$")


class _Spots:
    """Where keys and values stand."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._keys: dict[str, Place] = {}
        self._values: dict[str, Place] = {}
        table = ""
        for number, line in enumerate(text.splitlines(), 1):
            head, key = _HEAD.match(line), _KEY.match(line)
            if head:
                table = head[1].strip("\"'")
                self._keys.setdefault(table, _place(file, number, head.start(1) + 1, head.end(1) + 1))
            elif key:
                name = (f"{table}." if table else "") + key[2].strip("\"'")
                self._keys[name] = _place(file, number, key.start(2) + 1, key.end(2) + 1)
                self._values[name] = _place(file, number, key.start(4) + 1, key.end(4) + 1)

    def key(self, name: str) -> Place:
        return self._keys.get(name) or self._keys.get(name.split(".")[0]) or _place(self._file, 1, 1, 2)

    def value(self, name: str) -> Place:
        return self._values.get(name) or self.key(name)
