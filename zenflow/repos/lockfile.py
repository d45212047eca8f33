"""`zenflow.lock`: what every repository is pinned to, byte by byte, and the schemas of the tools.

TOML that only zenflow writes, one fact a line, sorted: two people's updates merge. It is read line by line, so that an
error names its line, and so that a lock of 1,000 files costs milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zenflow.errors import UsageError
from zenflow.host.writing import replace_file
from zenflow.repos.addresses import COMMIT

FILE = "zenflow.lock"
DAMAGED = "ZF543"
VERSION = 1
MAX_BYTES = 32 << 20
_HEAD = "# zenflow writes this file: commit it, and do not edit it.\n"
_END = "# end"
_FACTS = ("url", "rev", "commit", "tag", "path", "locked")
_TABLE = re.compile(r'\[(repos|tools)\."([^"\\]+)"(?:\.(files))?\]')
_PAIR = re.compile(r'(?:([a-z]+)|"((?:[^"\\]|\\.)*)") = "((?:[^"\\]|\\.)*)"')
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One repository. `files`: every recipe, template and media file, with the SHA-256 of its content."""

    url: str
    rev: str
    commit: str
    locked: str  # the day
    tag: str = ""  # the id of the tag's own object, where `rev` is an annotated tag
    path: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lock:
    """`tools`: by server, the SHA-256 of each tool's schema and models."""

    repos: Mapping[str, Locked] = field(default_factory=dict)
    tools: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_lock(folder: Path) -> Lock:
    """Return the lock of a workspace; an empty one where there is none. Raises UsageError with the line."""
    file = folder / FILE
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise UsageError(DAMAGED, f"unreadable lock: {file}: {error.strerror or error}") from None
    return parse_lock(data, str(file))


def parse_lock(data: bytes, file: str) -> Lock:
    """Return the lock of a text. Raises UsageError with the line."""
    if len(data) > MAX_BYTES:
        raise UsageError(DAMAGED, f"invalid lock: {file}: larger than {MAX_BYTES >> 20} MiB")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _damaged(file, line, "not UTF-8 text") from None
    return _Reader(file).read(text)


class _Reader:
    def __init__(self, file: str) -> None:
        self._file = file
        self._facts: dict[str, dict[str, str]] = {}
        self._files: dict[str, dict[str, str]] = {}
        self._tools: dict[str, dict[str, str]] = {}
        self._heads: dict[tuple[str, str, str], int] = {}
        self._in_facts = False

    def read(self, text: str) -> Lock:
        table: dict[str, str] | None = None
        known, whole, lines = False, text.endswith("\n"), text.split("\n")
        number = 0
        for number, line in enumerate(lines, 1):
            if not line or line.startswith("#"):
                continue
            if line == f"version = {VERSION}" and table is None:
                known = True
            elif line.startswith("["):
                table = self._open(line, number)
            else:
                self._take(line, number, table)
        if not known:
            raise _damaged(self._file, 1, f"no line `version = {VERSION}`: it is not complete, or of another zenflow")
        if not whole:
            raise _damaged(self._file, number, "the file ends in the middle of a line")
        if not text.endswith(f"\n{_END}\n"):
            raise _damaged(self._file, number, f"the file is cut off: its last line is not `{_END}`")
        return Lock({name: self._locked(name) for name in self._facts}, self._tools)

    def _open(self, line: str, number: int) -> dict[str, str]:
        found = _TABLE.fullmatch(line)
        if found is None or (found[1] == "tools" and found[3]):
            raise _damaged(self._file, number, f"unexpected `{line[:80]}`")
        kind, name, files = found[1], found[2], found[3] or ""
        if (kind, name, files) in self._heads:
            first = self._heads[kind, name, files]
            raise _damaged(self._file, number, f"`{line}` is in line {first} already")
        self._heads[kind, name, files] = number
        self._in_facts = kind == "repos" and not files
        tables = self._tools if kind == "tools" else self._files if files else self._facts
        return tables.setdefault(name, {})

    def _take(self, line: str, number: int, table: dict[str, str] | None) -> None:
        found = _PAIR.fullmatch(line)
        if found is None or table is None:
            raise _damaged(self._file, number, _what_it_is(line))
        key = found[1] or _plain(found[2])
        if key in table:
            raise _damaged(self._file, number, f"`{key}` is written twice")
        if self._in_facts and key not in _FACTS:
            raise _damaged(self._file, number, f"unknown key `{key}`")
        if not self._in_facts and _SHA256.fullmatch(found[3]) is None:
            raise _damaged(self._file, number, f"`{key}` has no SHA-256")
        if self._in_facts and key == "commit" and COMMIT.fullmatch(found[3]) is None:
            raise _damaged(self._file, number, "`commit` is not a full commit id")
        table[key] = _plain(found[3])

    def _locked(self, name: str) -> Locked:
        facts = self._facts[name]
        for key in ("url", "rev", "commit", "locked"):
            if key not in facts:
                raise _damaged(self._file, self._heads["repos", name, ""], f"no `{key}` for {name}")
        if ("repos", name, "files") not in self._heads:
            raise _damaged(self._file, self._heads["repos", name, ""], f"no files for {name}: the lock is cut off")
        return Locked(**facts, files=self._files[name])


def _damaged(file: str, line: int, what: str) -> UsageError:
    conflict = what.startswith("conflict")
    hint = (
        "Take one side with `git checkout --ours zenflow.lock`, then `zenflow repo lock`."
        if conflict
        else ("Restore it from git, or make it again: `zenflow repo lock`.")
    )
    return UsageError(DAMAGED, f"invalid lock: {file}:{line}: {what}", hint)


def _what_it_is(line: str) -> str:
    if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
        return f"conflict marker `{line[:40]}`"
    return f"unexpected `{line[:80]}`"


def lock_text(lock: Lock) -> str:
    """Return the file's text: the same for the same facts, whatever order they came in."""
    return _HEAD + f"version = {VERSION}\n" + "".join(f"{line}\n" for line in _lines(lock)) + f"\n{_END}\n"


def _lines(lock: Lock) -> Iterator[str]:
    for name, one in sorted(lock.repos.items()):
        yield from ("", f'[repos."{name}"]')
        for key in _FACTS:
            value = getattr(one, key)
            if value:
                yield f"{key} = {_quoted(value)}"
        yield from ("", f'[repos."{name}".files]')
        yield from (f"{_quoted(path)} = {_quoted(digest)}" for path, digest in sorted(one.files.items()))
    for server, tools in sorted(lock.tools.items()):
        yield from ("", f'[tools."{server}"]')
        yield from (f"{_quoted(tool)} = {_quoted(digest)}" for tool, digest in sorted(tools.items()))


def write_lock(folder: Path, lock: Lock) -> None:
    """Put the lock in its place at once. Raises UsageError."""
    file = folder / FILE
    try:
        replace_file(file, lock_text(lock))
    except OSError as error:
        what = f"cannot write {file}: {error.strerror or error}"
        raise UsageError("ZF549", what, "Free some space, or check its rights.") from None


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in escaped) + '"'


def _plain(text: str) -> str:
    if "\\" not in text:
        return text
    return re.sub(r"\\(?:U([0-9A-F]{8})|(.))", lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
