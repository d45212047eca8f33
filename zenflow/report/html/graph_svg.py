"""Draw the steps of a run as an SVG: layers from left to right, states by colour and by word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from zenflow.report.run_view import StepView

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _MARGIN = 176, 54, 60, 22, 8
_MOST_LETTERS = 22


def graph_svg(steps: Sequence[StepView]) -> str:
    """Return the SVG of the graph. It stands alone: colours come from classes of the page around it."""
    needs = _reduced({step.path: tuple(need for need in step.needs) for step in steps})
    places = _places(steps, needs)
    width = max((x for x, _ in places.values()), default=0) + _WIDTH + _MARGIN
    height = max((y for _, y in places.values()), default=0) + _HEIGHT + _MARGIN
    edges = [_edge(places[need], places[step]) for step, read in needs.items() for need in read if need in places]
    nodes = [_node(step, *places[step.path]) for step in steps]
    label = "Steps of the run: " + ", ".join(f"{step.path} {step.status}" for step in steps)
    return (
        f'<svg class="graph" role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">{"".join(edges)}{"".join(nodes)}</svg>'
    )


def _reduced(needs: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the needs without those that another need already implies."""
    import networkx as nx  # only where a graph is drawn

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(needs)
    graph.add_edges_from((need, step) for step, read in needs.items() for need in read if need in needs)
    small = nx.transitive_reduction(graph)
    return {step: tuple(small.predecessors(step)) for step in needs}


def _places(steps: Sequence[StepView], needs: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[int, int]]:
    layer: dict[str, int] = {}

    def layer_of(step: str) -> int:
        if step not in layer:
            layer[step] = 0
            layer[step] = max((layer_of(need) + 1 for need in needs.get(step, ())), default=0)
        return layer[step]

    rows: dict[int, int] = {}
    places = {}
    for step in steps:
        column = layer_of(step.path)
        row = rows.get(column, 0)
        rows[column] = row + 1
        places[step.path] = (_MARGIN + column * (_WIDTH + _ACROSS), _MARGIN + row * (_HEIGHT + _DOWN))
    return places


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    x2, y2 = end[0], end[1] + _HEIGHT // 2
    bend = (x2 - x1) // 2
    return f'<path class="edge" d="M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"/>'


def _node(step: StepView, x: int, y: int) -> str:
    done, total = step.counts.get("done", 0), sum(step.counts.values())
    name = step.path if len(step.path) <= _MOST_LETTERS else "…" + step.path[1 - _MOST_LETTERS :]
    state = f"{done}/{total} done" if step.status in ("done", "running") else f"{step.status} · {done}/{total}"
    return (
        f'<g class="node s-{escape(step.status.replace(" ", "-"))}"><title>{escape(step.path)} · {escape(step.uses)}</title>'
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>'
        f'<text x="{x + 12}" y="{y + 22}" class="name">{escape(name)}</text>'
        f'<text x="{x + 12}" y="{y + 41}" class="state">{escape(state)}</text></g>'
    )
