"""Change `[repos.NAME]` in a `zenflow.toml` and leave every other line as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from zenflow.errors import UsageError
from zenflow.host.writing import replace_file

UNWRITABLE = "ZF549"


def add_repository(file: Path, name: str, url: str, rev: str, path: str) -> None:
    """Add a table at the end. Raises UsageError."""
    text = _text(file)
    between = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    lines = [f"[repos.{name}]", f"url = {json.dumps(url)}", f"rev = {json.dumps(rev)}"]
    lines += [f"path = {json.dumps(path)}"] if path else []
    _write(file, text + between + "\n".join(lines) + "\n")


def set_revision(file: Path, name: str, rev: str) -> None:
    """Write another `rev` into the table of a repository. Raises UsageError."""
    lines = _text(file).split("\n")
    head = re.compile(
        rf"\s*\[\s*repos\s*\.\s*(?:{re.escape(name)}|\"{re.escape(name)}\"|'{re.escape(name)}')\s*\]\s*(#.*)?"
    )
    start = next((at for at, line in enumerate(lines) if head.fullmatch(line)), None)
    if start is not None:
        for at in range(start + 1, len(lines)):
            if lines[at].lstrip().startswith("["):
                break
            found = re.match(r"""(\s*rev\s*=\s*)("[^"]*"|'[^']*')(.*)""", lines[at])
            if found:
                lines[at] = f"{found[1]}{json.dumps(rev)}{found[3]}"
                _write(file, "\n".join(lines))
                return
    hint = f'Write `rev = "{rev}"` there, then `zenflow repo lock`.'
    raise UsageError("ZF540", f"cannot change {file}: no line `rev` below `[repos.{name}]`", hint)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise UsageError("ZF540", f"unreadable file: {file}: {error}") from None


def _write(file: Path, text: str) -> None:
    try:
        replace_file(file, text)
    except OSError as error:
        raise UsageError(UNWRITABLE, f"cannot write {file}: {error.strerror or error}", "Check its rights.") from None
