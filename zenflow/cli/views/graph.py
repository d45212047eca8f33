"""A recipe's graph as Mermaid, DOT, a drawing for a terminal, and JSON. Knows nodes and edges, not how they were found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zenflow.app.planning.graphs.costs import Cost
from zenflow.app.planning.graphs.network import Analysis, Way
from zenflow.app.planning.graphs.recipe_graph import GraphNode, RecipeGraph
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import columns_of, cut, pad, wrap
from zenflow.cli.terminal.units import span
from zenflow.cli.views.graph_text import CRITICAL, draw_rows
from zenflow.credits import as_number, in_words

_LEAST_LABEL = 30  # columns; a drawing that leaves less is a list of layers instead


def draw_mermaid(graph: RecipeGraph) -> str:
    """Paid steps are boxes, free ones rounded; a thick arrow streams, one instance after the other."""
    names = {node.step_id: f"s{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart TD", *_mermaid_nodes(graph, names)]
    for edge in graph.edges:
        arrow = "==>" if edge.streams else "-.->" if edge.why == "needs" else "-->"
        label = f"|{_escaped(edge.why)}|" if edge.why else ""
        lines.append(f"  {names[edge.source]} {arrow}{label} {names[edge.target]}")
    return "\n".join(lines)


def _mermaid_nodes(graph: RecipeGraph, names: Mapping[str, str]) -> Iterator[str]:
    """Yield the nodes; those of an expanded recipe stand in a frame of their own."""
    for number, (prefix, nodes) in enumerate(_frames(graph)):
        if prefix:
            yield f'  subgraph r{number}["{_escaped(prefix)}"]'
        yield from (f"  {names[node.step_id]}{_shape(node)}" for node in nodes)
        if prefix:
            yield "  end"


def _frames(graph: RecipeGraph) -> Iterator[tuple[str, list[GraphNode]]]:
    """Yield runs of nodes that share the path of their recipe."""
    group: list[GraphNode] = []
    for node in graph.nodes:
        if group and _prefix(group[-1]) != _prefix(node):
            yield _prefix(group[-1]), group
            group = []
        group.append(node)
    if group:
        yield _prefix(group[-1]), group


def _prefix(node: GraphNode) -> str:
    return node.step_id.rpartition("/")[0]


def draw_dot(graph: RecipeGraph) -> str:
    """Graphviz: paid steps are boxes, free ones ellipses, recipes folders; a bold edge streams."""
    shapes = {"tool": "box", "recipe": "folder"}
    lines = [f"digraph {_quoted(graph.name)} {{", "  rankdir=TB;"]
    for number, (prefix, nodes) in enumerate(_frames(graph)):
        inside = [
            f"  {_quoted(node.step_id)} [shape={shapes.get(node.kind, 'ellipse')}, "
            f"label={_quoted(f'{_name(node)}{chr(10)}{node.uses}')}];"
            for node in nodes
        ]
        lines += [f"  subgraph cluster_{number} {{ label={_quoted(prefix)};", *inside, "  }"] if prefix else inside
    for edge in graph.edges:
        style = "bold" if edge.streams else "dashed" if edge.why == "needs" else "solid"
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [label={_quoted(edge.why)}, style={style}];")
    return "\n".join([*lines, "}"])


def draw_graph(graph: RecipeGraph, analysis: Analysis, costs: Mapping[str, Cost], style: Style, width: int) -> str:
    """Return the drawing: a line for each step, edges at its left, cost at its right; below it the critical paths."""
    nodes = {node.step_id: node for node in graph.nodes}
    order = [step for layer in analysis.layers for step in layer]
    critical = frozenset(analysis.by_seconds.steps)
    rows = draw_rows(order, analysis.reduced, critical)
    left = max((columns_of(row.drawing) for row in rows), default=0) + 2
    if left + _LEAST_LABEL > width:
        lines = _layers(analysis, width)
    else:
        labels = _labels([nodes[step] for step in order], costs, width - left)
        lines = [
            pad(row.drawing, left) + (_marked(labels[row.step], row.step in critical, style))
            if row.step
            else row.drawing
            for row in rows
        ]
    return "\n".join([*lines, "", *_critical(analysis, width)])


def _labels(nodes: list[GraphNode], costs: Mapping[str, Cost], width: int) -> dict[str, str]:
    """Return the words of each step: name, what it uses, seconds and credits, in columns."""
    ends = {node.step_id: _cost(costs[node.step_id]) for node in nodes}
    end = max((len(text) for text in ends.values()), default=0)
    most = max(width - end - 2, 10)
    name = min(max((columns_of(_name(node)) for node in nodes), default=0), most * 2 // 3)
    uses = max(min(max((columns_of(node.uses) for node in nodes), default=0), most - name - 2), 0)
    return {
        node.step_id: cut(
            f"{pad(cut(_name(node), name), name)}  {pad(cut(node.uses, uses), uses)}  {ends[node.step_id]:>{end}}",
            width,
        ).rstrip()
        for node in nodes
    }


def _cost(cost: Cost) -> str:
    credits = "? credits" if cost.credits is None else in_words(cost.credits) if cost.credits else ""
    return ", ".join(part for part in (span(cost.seconds) if cost.seconds >= 1 else "", credits) if part)


def _marked(label: str, critical: bool, style: Style) -> str:
    return style.strong(label) if critical else label


def _layers(analysis: Analysis, width: int) -> list[str]:
    """Return the layers as a list, for a graph too wide to draw."""
    before: dict[str, list[str]] = {}
    for source, target in analysis.reduced:
        before.setdefault(target, []).append(source)
    lines = []
    for number, layer in enumerate(analysis.layers, 1):
        lines.append(f"Layer {number}")
        for step in layer:
            after = f" ← {', '.join(before[step])}" if step in before else ""
            lines += [cut(line, width) for line in wrap(f"{step}{after}", width, "      ", "  ")]
    return lines


def _critical(analysis: Analysis, width: int) -> Iterator[str]:
    way = analysis.by_seconds
    if way.steps and way.total:
        yield from _way(f"{CRITICAL} Critical path by time, {span(float(way.total))}:", way, width)
    if analysis.by_credits is None:
        yield from wrap("No price is known here: give the inputs with `-i`, and plan once with the service.", width)
    elif analysis.by_credits.total:
        way = analysis.by_credits
        yield from _way(f"Critical path by credits, {in_words(way.total)}:", way, width)


def _way(title: str, way: Way, width: int) -> list[str]:
    return [cut(line, width) for line in wrap(f"{title} {' → '.join(way.steps)}", width, "  ", "")]


def graph_document(graph: RecipeGraph, analysis: Analysis, costs: Mapping[str, Cost]) -> dict[str, Any]:
    """Return the graph as JSON data."""
    return {
        "recipe": {"name": graph.name, "version": graph.version},
        "mermaid": draw_mermaid(graph),
        "steps": [
            {
                "id": n.step_id,
                "uses": n.uses,
                "kind": n.kind,
                "foreach": n.fans_out,
                "if": n.conditional,
                "seconds": costs[n.step_id].seconds,
                "credits": as_number(costs[n.step_id].credits),
            }
            for n in graph.nodes
        ],
        "edges": [{"from": e.source, "to": e.target, "reads": e.why, "streams": e.streams} for e in graph.edges],
        "layers": [list(layer) for layer in analysis.layers],
        "reduced_edges": [{"from": source, "to": target} for source, target in analysis.reduced],
        "critical_path": {
            "seconds": {"steps": list(analysis.by_seconds.steps), "total": float(analysis.by_seconds.total)},
            "credits": None
            if analysis.by_credits is None
            else {"steps": list(analysis.by_credits.steps), "total": as_number(analysis.by_credits.total)},
        },
    }


def _name(node: GraphNode) -> str:
    return node.step_id + (" × n" if node.fans_out else "") + (" ?" if node.conditional else "")


def _shape(node: GraphNode) -> str:
    text = f'"{_escaped(_name(node))}<br/><small>{_escaped(node.uses)}</small>"'
    if node.kind == "tool":
        return f"[{text}]"
    return f"[[{text}]]" if node.kind == "recipe" else f"({text})"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("|", "&#124;")


def _quoted(text: str) -> str:
    body = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{body}"'
