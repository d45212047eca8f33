"""Problems drawn for people, as rows of JSON, and as annotations of GitHub. Knows nothing of what was checked.

recipes/photoshoot.yaml:34:14: error: image_editor has no model `SEEDREAM_55` [ZF410]
   |
34 |       model: SEEDREAM_55
   |              ^^^^^^^^^^^
   → Did you mean `SEEDREAM_5`?
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from zenflow.cli.terminal.snippet import snippet
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.views.next_steps import next_step
from zenflow.problems import Place, Problem

GITHUB_MOST = 10  # annotations that GitHub shows of one step; the rest is counted
NARROW = 60  # columns; above, the first line of a finding is left whole, as editors read it
MOST_QUOTED = 160  # of what is quoted out of a file: two lines of a terminal; what is longer is nothing to copy
_QUOTED = re.compile(r"`([^`\n]*)`")


MOST_DRAWN = 100


def draw_problems(problems: Sequence[Problem], style: Style, width: int) -> str:
    """Each finding with its place, errors before warnings where there are too many; then how many there are."""
    sources, shown = Sources(), list(problems)
    if len(shown) > MOST_DRAWN:
        shown = sorted(shown, key=lambda one: one.severity != "error")[:MOST_DRAWN]
    blocks = ["\n".join(_block(problem, sources, style, width)) for problem in shown]
    if len(shown) < len(problems):
        blocks.append(f"… and {len(problems) - len(shown):,} more; `--json` lists them.")
    return "\n\n".join([*blocks, style.strong(summary(problems))])


def summary(problems: Iterable[Problem]) -> str:
    """`2 errors, 1 warning`, or `no problems`."""
    found = list(problems)
    errors = sum(1 for p in found if p.severity == "error")
    parts = [_count(errors, "error"), _count(len(found) - errors, "warning")]
    return ", ".join(part for part in parts if part) or "no problems"


def draw_error(message: str, code: str, hint: str | None, style: Style, width: int) -> str:
    """One error without a place: the message, its code, and on a line of its own what to do."""
    lines = wrap(f"{message} [{code}]", width, "  ", "error: ")
    lines[0] = lines[0].replace("error:", style.bad("error:"), 1)
    return "\n".join([*lines, *_hint(next_step(code, hint), "", style, width)])


def as_rows(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """The `problems` of a JSON document."""
    return [_row(problem) for problem in problems]


def as_github(problems: Sequence[Problem]) -> str:
    """Workflow commands of GitHub Actions, errors first."""
    errors_first = sorted(problems, key=lambda p: p.severity != "error")
    lines = [_annotation(problem) for problem in errors_first[:GITHUB_MOST]]
    if len(problems) > GITHUB_MOST:
        lines.append(f"::notice title=zenflow::and {len(problems) - GITHUB_MOST} more; see the job's log")
    return "\n".join(lines)


class Sources:
    """The lines of the files that places speak of, read once."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def line(self, place: Place) -> str | None:
        if place.file not in self._lines:
            self._lines[place.file] = _read_lines(getattr(place.file, "on_disk", place.file))
        lines = self._lines[place.file]
        return lines[place.line - 1] if 0 < place.line <= len(lines) else None


def clipped(text: str) -> str:
    """With what is quoted in it cut to a bearable length: a file that is no recipe may be one line of a megabyte."""
    if len(text) <= MOST_QUOTED:
        return text
    return _QUOTED.sub(lambda q: q[0] if len(q[1]) <= MOST_QUOTED else f"`{q[1][: MOST_QUOTED - 1]}…`", text)


def shown_path(file: str) -> str:
    """The path as a person would type it here: relative when it lies below the current folder."""
    try:
        relative = os.path.relpath(file)
    except (ValueError, OSError):  # another drive, or no current folder
        return file
    return file if relative.startswith("..") else relative


def _block(problem: Problem, sources: Sources, style: Style, width: int) -> list[str]:
    mark = style.bad if problem.severity == "error" else style.warn
    head = f"{problem.severity}: {clipped(problem.message)} {style.faint(f'[{problem.code}]')}"
    place = problem.place
    if place is not None:
        head = f"{style.strong(f'{shown_path(place.file)}:{place.line}:{place.column}:')} {head}"
    head = head.replace(f"{problem.severity}:", mark(f"{problem.severity}:"), 1)
    lines = [head] if width >= NARROW else wrap(head, width, "  ", "")
    gutter = _gutter([place, *(note.place for note in problem.notes)])
    if place is not None:
        lines += snippet(place, sources.line(place), style, mark, width, gutter)
    for note in problem.notes:
        at = f"{shown_path(note.place.file)}:{note.place.line}:{note.place.column}"
        lines.append(f"{' ' * gutter} = {style.strong('note:')} {note.message} ({at})")
        lines += snippet(note.place, sources.line(note.place), style, style.link, width, gutter, under="-")
    return lines + _hint(
        next_step(problem.code, problem.hint), " " * (gutter + 1) if place is not None else "", style, width
    )


def _hint(hint: str, indent: str, style: Style, width: int) -> list[str]:
    lines: list[str] = []
    for number, written in enumerate(clipped(hint).splitlines()):
        opening = "→ " if number == 0 else "  "
        if number == 0:
            lines += wrap(written, width, indent + "  ", indent + style.link(opening.strip()) + " ")
        else:
            lines.append(indent + opening + written)  # a quoted line keeps its own spaces
    return lines


def _gutter(places: Iterable[Place | None]) -> int:
    return max((len(str(place.line)) for place in places if place is not None), default=1)


def _row(problem: Problem) -> dict[str, Any]:
    place = problem.place
    return {
        "file": shown_path(place.file) if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "end_line": place.end_line if place else None,
        "end_column": place.end_column if place else None,
        "severity": problem.severity,
        "code": problem.code,
        "message": clipped(problem.message),
        "hint": clipped(next_step(problem.code, problem.hint)),
        "notes": [
            {
                "message": note.message,
                "file": shown_path(note.place.file),
                "line": note.place.line,
                "column": note.place.column,
            }
            for note in problem.notes
        ],
    }


def _annotation(problem: Problem) -> str:
    place = problem.place
    properties = [f"title={_escaped(problem.code, True)}"]
    if place is not None:
        end_column = [f"endColumn={place.end_column}"] if place.end_line == place.line else []
        properties = [
            f"file={_escaped(shown_path(place.file), True)}",
            f"line={place.line}",
            f"endLine={place.end_line}",
            f"col={place.column}",
            *end_column,
            *properties,
        ]
    message = clipped(f"{problem.message}\n{next_step(problem.code, problem.hint)}")
    return f"::{problem.severity} {','.join(properties)}::{_escaped(message, False)}"


def _escaped(text: str, is_property: bool) -> str:
    """GitHub's own escapes (workflow commands)."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if is_property else text


def _count(number: int, noun: str) -> str:
    return "" if number == 0 else f"{number} {noun}" + ("" if number == 1 else "s")


def _read_lines(file: str) -> list[str]:
    try:
        with Path(file).open("rb") as source:
            text = source.read(2 << 20)
    except OSError:
        return []
    if b"\0" in text:
        return []  # binary: its lines would say nothing
    return text.decode("utf-8-sig", "replace").splitlines()
