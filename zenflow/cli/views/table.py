"""A small table: columns that know their side and whether they may shrink. rich would cost 100 ms at every start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zenflow.cli.views.ink import Ink
from zenflow.cli.views.width import columns_of, cut, pad

GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    right: bool = False
    shrinks: bool = False  # may be cut when the table is too wide
    least: int = 8


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    width: int,
    ink: Ink,
    *,
    feet: Sequence[Sequence[str]] = (),
    indent: str = "  ",
) -> list[str]:
    """The lines: a head, the rows, and, below a rule, the feet."""
    widths = _fitted(columns, [[c.title for c in columns], *rows, *feet], width - len(indent))
    lines = [ink.faint(_line([c.title for c in columns], columns, widths, indent))]
    lines += [_line(row, columns, widths, indent) for row in rows]
    if feet:
        lines.append(ink.faint(indent + "─" * (sum(widths) + len(GAP) * (len(widths) - 1))))
        lines += [_line(foot, columns, widths, indent) for foot in feet]
    return lines


def _fitted(columns: Sequence[Column], lines: Sequence[Sequence[str]], width: int) -> list[int]:
    widths = [max(columns_of(line[place]) for line in lines) for place in range(len(columns))]
    over = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while over > 0:
        roomy = [p for p, column in enumerate(columns) if column.shrinks and widths[p] > column.least]
        if not roomy:
            break
        widest = max(roomy, key=lambda place: widths[place])
        widths[widest] -= 1
        over -= 1
    return widths


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], indent: str) -> str:
    drawn = [
        pad(cut(cell, width) if column.shrinks else cell, width, right=column.right)
        for cell, column, width in zip(cells, columns, widths, strict=True)
    ]
    return (indent + GAP.join(drawn)).rstrip()
