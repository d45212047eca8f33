"""A graph of steps as a drawing for a terminal: one line a step, lines for the edges, `●` for a step.

A lane is one column. It leads from a step down to all that read it, or from several steps down to the one that reads them all,
whichever joins more edges: a wide fan-out and a wide fan-in both take one lane. Where lanes cross, one is interrupted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
_BOX = {
    0: " ", UP: "╵", DOWN: "╷", LEFT: "╴", RIGHT: "╶",
    UP | DOWN: "│", LEFT | RIGHT: "─", UP | RIGHT: "└", UP | LEFT: "┘", DOWN | RIGHT: "┌", DOWN | LEFT: "┐",
    UP | DOWN | RIGHT: "├", UP | DOWN | LEFT: "┤", UP | LEFT | RIGHT: "┴", DOWN | LEFT | RIGHT: "┬",
    UP | DOWN | LEFT | RIGHT: "┼",
}  # fmt: skip
STEP, CRITICAL = "●", "◆"


@dataclass(slots=True)
class TextRow:
    """One line: the drawing, and the step whose line it is."""

    drawing: str
    step: str = ""


@dataclass(slots=True)
class _Lane:
    """One column in use; `open`: the edges that have not left it yet."""

    column: int
    open: set[tuple[str, str]] = field(default_factory=set)


def draw_rows(
    order: Sequence[str], edges: Iterable[tuple[str, str]], critical: frozenset[str] = frozenset()
) -> list[TextRow]:
    """Return the lines of a drawing. `order`: each step after all that it reads."""
    return _Drawing(tuple(edges), critical).rows(order)


class _Drawing:
    def __init__(self, edges: tuple[tuple[str, str], ...], critical: frozenset[str]) -> None:
        readers, sources = _count(source for source, _ in edges), _count(target for _, target in edges)
        self._down = {edge for edge in edges if readers[edge[0]] >= sources[edge[1]]}  # in a lane of their source
        self._edges = edges
        self._critical = critical
        self._from: dict[str, _Lane] = {}
        self._to: dict[str, _Lane] = {}
        self._span = (0, -1)  # from where to where the line of this row leads

    def rows(self, order: Sequence[str]) -> list[TextRow]:
        found: list[TextRow] = []
        for step in order:
            found += self._step(step)
        return found

    def _step(self, step: str) -> list[TextRow]:
        """Draw the line of one step, with what comes into it, and below it the lines that leave it."""
        leading = [
            self._from[source] for source, target in self._edges if target == step and (source, target) in self._down
        ]
        for lane in leading:
            lane.open = {edge for edge in lane.open if edge[1] != step}
        own = self._to.pop(step, None)
        ending = [lane for lane in leading if not lane.open]
        column = own.column if own is not None else ending[0].column if ending else self._free(leading)
        row = self._joined(column, {lane.column: UP | (DOWN if lane.open else 0) for lane in leading})
        for name in [name for name, lane in self._from.items() if not lane.open]:
            del self._from[name]
        drawn = [TextRow(self._text(row, {column: CRITICAL if step in self._critical else STEP}), step)]
        return drawn + self._leave(step, column)

    def _leave(self, step: str, column: int) -> list[TextRow]:
        """Open the lanes of what reads the step; a line below it where that is not straight down."""
        down = {edge for edge in self._down if edge[0] == step}
        joining = [edge for edge in self._edges if edge[0] == step and edge not in self._down]
        at: dict[int, int] = {}
        busy = {lane.column for lane in self._lanes()}
        straight = bool(down)
        if down:
            self._from[step] = _Lane(column, down)
        for edge in joining:
            lane = self._to.get(edge[1])
            if lane is None:
                new = column if not straight else self._free((), busy | {column})
                straight = True
                lane = self._to[edge[1]] = _Lane(new)
                at[new] = DOWN
            else:
                at[lane.column] = UP | DOWN
            busy.add(lane.column)
        if all(place == column for place in at):
            return []
        own = UP | (DOWN if straight and (down or at.get(column)) else 0)
        at.pop(column, None)
        return [TextRow(self._text(self._joined(column, at, own)))]

    def _joined(self, column: int, at: Mapping[int, int], own: int = 0) -> dict[int, int]:
        """Return the cells of a line: lanes that pass, and a line from `column` to each column of `at`."""
        cells = {lane.column: UP | DOWN for lane in self._lanes()}
        cells.update(at)
        cells[column] = own or cells.get(column, 0)
        ends = [place for place in at if place != column]
        self._span = (min(*ends, column), max(*ends, column)) if ends else (0, -1)
        low, high = self._span
        for place in (*ends, column) if ends else ():
            cells[place] |= (LEFT if place > low else 0) | (RIGHT if place < high else 0)
        return cells

    def _text(self, cells: Mapping[int, int], marks: Mapping[int, str] | None = None) -> str:
        low, high = self._span
        width = max([*cells, high, 0]) + 1
        drawn = []
        for place in range(width):
            inside = low < place < high
            cell = cells.get(place, LEFT | RIGHT if inside else 0)
            drawn.append((marks or {}).get(place) or _BOX[cell])
            drawn.append("─" if low <= place < high else " ")
        return "".join(drawn).rstrip()

    def _lanes(self) -> list[_Lane]:
        return [*self._from.values(), *self._to.values()]

    def _free(self, after: Sequence[_Lane], busy: set[int] | None = None) -> int:
        """Return the first free column, right of the lanes that lead there."""
        taken = busy if busy is not None else {lane.column for lane in self._lanes()}
        start = max((lane.column for lane in after), default=-1) + 1
        return next(place for place in range(start, start + len(taken) + 1) if place not in taken)


def _count(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found
