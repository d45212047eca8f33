"""A recipe's graph as Mermaid text. Knows nodes and edges, not how they were found."""

from __future__ import annotations

from typing import Any

from zenflow.app.planning.graph import Node, RecipeGraph


def draw_mermaid(graph: RecipeGraph) -> str:
    """Paid steps are boxes, free ones rounded; a thick arrow streams, one instance after the other."""
    names = {node.step_id: f"s{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart TD"]
    lines += [f"  {names[node.step_id]}{_shape(node)}" for node in graph.nodes]
    for edge in graph.edges:
        arrow = "==>" if edge.streams else "-.->" if edge.why == "needs" else "-->"
        label = f"|{_escaped(edge.why)}|" if edge.why else ""
        lines.append(f"  {names[edge.source]} {arrow}{label} {names[edge.target]}")
    return "\n".join(lines)


def graph_document(graph: RecipeGraph) -> dict[str, Any]:
    return {
        "recipe": {"name": graph.name, "version": graph.version},
        "mermaid": draw_mermaid(graph),
        "steps": [
            {"id": n.step_id, "uses": n.uses, "kind": n.kind, "foreach": n.fans_out, "if": n.conditional}
            for n in graph.nodes
        ],
        "edges": [{"from": e.source, "to": e.target, "reads": e.why, "streams": e.streams} for e in graph.edges],
    }


def _shape(node: Node) -> str:
    marks = (" × n" if node.fans_out else "") + (" ?" if node.conditional else "")
    text = f'"{_escaped(node.step_id)}{marks}<br/><small>{_escaped(node.uses)}</small>"'
    if node.kind == "tool":
        return f"[{text}]"
    return f"[[{text}]]" if node.kind == "recipe" else f"({text})"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("|", "&#124;")
