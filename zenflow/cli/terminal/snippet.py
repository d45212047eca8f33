"""One source line with a part of it underlined. Knows characters and columns: tabs, wide characters, lines too long."""

from __future__ import annotations

from collections.abc import Callable

from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import columns_of_character
from zenflow.problems import Place

TAB = 4
LEAST_SHOWN = 24


def snippet(
    place: Place,
    line: str | None,
    style: Style,
    mark: Callable[[str], str],
    width: int,
    gutter: int,
    *,
    under: str = "^",
) -> list[str]:
    """The line behind its number, and below it the mark; nothing when the file cannot be read any more."""
    if line is None:
        return []
    start, end = _stretch(place, line)
    cells, starts = _cells(line)
    room = max(LEAST_SHOWN, width - gutter - 3)
    first, last, shown = _window(starts, start, end, room)
    text = "".join(cells[first:last])
    offset = starts[start] - starts[first]
    length = max(1, starts[min(end, last)] - starts[start])
    if shown[0]:
        text, offset = "…" + text, offset + 1
    if shown[1]:
        text += "…"
    space, bar = " " * gutter, style.faint("|")
    return [
        f"{space} {bar}",
        f"{style.faint(str(place.line).rjust(gutter))} {bar} {text}".rstrip(),
        f"{space} {bar} {' ' * offset}{mark(under * length)}",
    ]


def _stretch(place: Place, line: str) -> tuple[int, int]:
    """Start and end as offsets into the line; what goes on in later lines ends with this one."""
    start = min(max(place.column - 1, 0), len(line))
    end = place.end_column - 1 if place.end_line == place.line else len(line.rstrip())
    return start, max(min(end, len(line)), min(start + 1, len(line)))


def _cells(line: str) -> tuple[list[str], list[int]]:
    """Each character as it is drawn, and the column at which it starts; one more column for the end."""
    cells, starts, column = [], [], 0
    for character in line:
        if character == "\t":
            drawn, size = " " * (TAB - column % TAB), TAB - column % TAB
        elif not character.isprintable():
            drawn, size = "·", 1
        else:
            drawn, size = character, columns_of_character(character)
        cells.append(drawn)
        starts.append(column)
        column += size
    return cells, [*starts, column]


def _window(starts: list[int], start: int, end: int, room: int) -> tuple[int, int, tuple[bool, bool]]:
    """Which characters are shown when the line is too long: a stretch around the place."""
    count = len(starts) - 1
    if starts[count] <= room:
        return 0, count, (False, False)
    lead = min(room // 3, 20)
    first = 0 if starts[end] <= room - 1 else start
    while first > 0 and first <= start and starts[start] - starts[first] < lead:
        first -= 1
    budget = room - (1 if first else 0)
    last = first
    while last < count and starts[last + 1] - starts[first] <= budget - 1:
        last += 1
    return first, last, (first > 0, last < count)
