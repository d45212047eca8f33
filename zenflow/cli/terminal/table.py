"""A small table: columns that know their side and whether they may shrink. rich would cost 100 ms at every start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import columns_of, cut, cut_front, pad, wrap

GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    right: bool = False
    shrinks: bool = False  # may be cut when the table is too wide
    wraps: bool = False  # goes on below itself instead of being cut
    ends_matter: bool = False  # is cut at its front
    least: int = 8


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    width: int,
    style: Style,
    *,
    feet: Sequence[Sequence[str]] = (),
    indent: str = "  ",
) -> list[str]:
    """The lines: a head, the rows, and, below a rule, the feet."""
    widths = _fitted(columns, [[c.title for c in columns], *rows, *feet], width - len(indent))
    lines = [style.faint(_line([c.title for c in columns], columns, widths, indent))]
    lines += [line for row in rows for line in _lines(row, columns, widths, indent)]
    if feet:
        lines.append(style.faint(indent + "─" * (sum(widths) + len(GAP) * (len(widths) - 1))))
        lines += [_line(foot, columns, widths, indent) for foot in feet]
    return lines


def _fitted(columns: Sequence[Column], lines: Sequence[Sequence[str]], width: int) -> list[int]:
    widths = [max(columns_of(line[place]) for line in lines) for place in range(len(columns))]
    over = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while over > 0:
        roomy = [p for p, column in enumerate(columns) if _gives(column) and widths[p] > column.least]
        if not roomy:
            break
        widest = max(roomy, key=lambda place: widths[place])
        widths[widest] -= 1
        over -= 1
    return widths


def _lines(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], indent: str) -> list[str]:
    """One row: as many lines as its longest cell that wraps."""
    stacks = [
        wrap(cell, width) if column.wraps and columns_of(cell) > width else [cell]
        for cell, column, width in zip(cells, columns, widths, strict=True)
    ]
    deepest = max(map(len, stacks), default=1)
    levels = [[stack[level] if level < len(stack) else "" for stack in stacks] for level in range(deepest)]
    return [_line(level, columns, widths, indent) for level in levels]


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], indent: str) -> str:
    drawn = [
        pad(_fitting(cell, column, width), width, right=column.right)
        for cell, column, width in zip(cells, columns, widths, strict=True)
    ]
    return (indent + GAP.join(drawn)).rstrip()


def _fitting(cell: str, column: Column, width: int) -> str:
    if not _gives(column):
        return cell
    return cut_front(cell, width) if column.ends_matter else cut(cell, width)


def _gives(column: Column) -> bool:
    return column.shrinks or column.wraps
