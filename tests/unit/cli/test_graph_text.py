"""A drawing of a graph: every edge can be followed, whatever the graph, and it stays narrow where it can."""

from __future__ import annotations

from collections.abc import Sequence

import networkx
from hypothesis import given
from hypothesis import strategies as st

from zenflow.cli.views.graph_text import draw_rows

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
_ENDS = {
    "│": UP | DOWN, "─": LEFT | RIGHT, "└": UP | RIGHT, "┘": UP | LEFT, "┌": DOWN | RIGHT, "┐": DOWN | LEFT,
    "├": UP | DOWN | RIGHT, "┤": UP | DOWN | LEFT, "┴": UP | LEFT | RIGHT, "┬": DOWN | LEFT | RIGHT,
    "┼": UP | DOWN | LEFT | RIGHT, "╷": DOWN, "╵": UP,
}  # fmt: skip


def _lines(order: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{row.drawing:<8}{row.step}".rstrip() for row in draw_rows(order, edges)]


def test_a_chain_is_one_lane() -> None:
    assert _lines("abc", [("a", "b"), ("b", "c")]) == ["●       a", "●       b", "●       c"]


def test_a_diamond_opens_and_closes() -> None:
    edges = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    assert _lines("abcd", edges) == ["●       a", "├─●     b", "● │     c", "└─┤", "  ●     d"]


def test_wide_fan_out_and_fan_in_take_two_lanes() -> None:
    many = [f"m{number}" for number in range(50)]
    edges = [("a", one) for one in many] + [(one, "z") for one in many]
    assert max(len(row.drawing) for row in draw_rows(["a", *many, "z"], edges)) <= 5


@st.composite
def _graphs(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]]]:
    order = [f"s{number}" for number in range(draw(st.integers(1, 9)))]
    pairs = [(one, other) for place, one in enumerate(order) for other in order[place + 1 :]]
    return order, draw(st.lists(st.sampled_from(pairs), unique=True, max_size=14)) if pairs else []


@given(_graphs())
def test_every_edge_can_be_followed_in_the_drawing(graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    order, edges = graph
    rows = draw_rows(order, edges)
    assert [row.step for row in rows if row.step] == order
    net, at = networkx.Graph(), {}
    cells = [list(row.drawing) for row in rows]
    for line, row in enumerate(rows):
        for column in range(0, len(cells[line]), 2):
            if cells[line][column] == "●":
                at[row.step] = (line, column)
    for line, drawn in enumerate(cells):
        for column in range(0, len(drawn), 2):
            net.add_node((line, column))
            below = cells[line + 1] if line + 1 < len(cells) else []
            if column < len(below) and _ends(drawn[column], DOWN) and _ends(below[column], UP):
                net.add_edge((line, column), (line + 1, column))
            right = _right(drawn, column)
            if right is not None:
                net.add_edge((line, column), (line, right))
    for source, target in edges:
        assert networkx.has_path(net, at[source], at[target]), "\n".join(row.drawing for row in rows)


def _ends(character: str, side: int) -> bool:
    return character == "●" or bool(_ENDS.get(character, 0) & side)


def _right(drawn: list[str], column: int) -> int | None:
    """Where a line to the right of a cell ends, behind the lanes that it interrupts."""
    if not _ends(drawn[column], RIGHT):
        return None
    while column + 2 < len(drawn) and drawn[column + 1] == "─":
        column += 2
        if _ends(drawn[column], LEFT):
            return column
    return None
