"""What a graph of steps says as a whole: layers, edges that matter, the longest ways. The home of networkx.

Only `zenflow graph` loads this module: networkx takes longer to load than a small plan takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import networkx

from zenflow.app.planning.graphs.costs import Cost
from zenflow.app.planning.graphs.recipe_graph import RecipeGraph


@dataclass(frozen=True, slots=True)
class Way:
    """The dearest way from a first step to a last one, and what its steps take together."""

    steps: tuple[str, ...]
    total: Decimal


@dataclass(frozen=True, slots=True)
class Analysis:
    """`layers`: steps that may run side by side. `reduced`: the edges without those that others imply."""

    layers: tuple[tuple[str, ...], ...]
    reduced: tuple[tuple[str, str], ...]
    by_seconds: Way
    by_credits: Way | None  # None: nothing has a known price


def analyse(graph: RecipeGraph, costs: Mapping[str, Cost]) -> Analysis:
    """Return the analysis of a graph; `costs` is per step."""
    plain: Any = networkx.DiGraph()
    plain.add_nodes_from(node.step_id for node in graph.nodes)
    plain.add_edges_from((edge.source, edge.target) for edge in graph.edges)
    place = {node.step_id: number for number, node in enumerate(graph.nodes)}
    layers = tuple(tuple(sorted(layer, key=place.__getitem__)) for layer in networkx.topological_generations(plain))
    edges = sorted(networkx.transitive_reduction(plain).edges, key=lambda edge: (place[edge[0]], place[edge[1]]))
    seconds = {step: Decimal(str(costs[step].seconds)) for step in place}
    credits = {step: costs[step].credits or Decimal(0) for step in place}
    priced = any(cost.credits is not None for cost in costs.values())
    return Analysis(layers, tuple(edges), _longest(plain, seconds), _longest(plain, credits) if priced else None)


def graphml(graph: RecipeGraph, costs: Mapping[str, Cost]) -> str:
    """Return the graph as GraphML, with one edge for each field that is read."""
    full: Any = networkx.MultiDiGraph(name=graph.name, version=graph.version)
    for node in graph.nodes:
        cost = costs[node.step_id]
        more = {} if cost.credits is None else {"credits": float(cost.credits)}
        full.add_node(
            node.step_id,
            uses=node.uses,
            kind=node.kind,
            foreach=node.fans_out,
            conditional=node.conditional,
            seconds=float(cost.seconds),
            **more,
        )
    for edge in graph.edges:
        full.add_edge(edge.source, edge.target, reads=edge.why, streams=edge.streams)
    return "\n".join(networkx.generate_graphml(full, named_key_ids=True))


def _longest(plain: Any, cost: Mapping[str, Decimal]) -> Way:
    """Return the way with the highest sum of the costs of its steps."""
    best: dict[str, Way] = {}
    for step in networkx.topological_sort(plain):
        before = max(
            (best[one] for one in plain.predecessors(step)), key=lambda way: way.total, default=Way((), Decimal(0))
        )
        best[step] = Way((*before.steps, step), before.total + cost[step])
    return max(best.values(), key=lambda way: (way.total, len(way.steps)), default=Way((), Decimal(0)))
