"""How many elements the plan knows of each paid step that follows the results of another, before its `if` (rule 19).

Kept with the run: a service that gives more than was asked for does not raise the bill. A resume that raises `max` of a
step raises the bounds of what follows it by as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from zenflow.plan.fanout import Fan, fanout_of, parse_address
from zenflow.plan.model import Plan
from zenflow.recipe.model import Recipe


def bounds_of(plan: Plan) -> dict[str, int]:
    """By step, of the run's own recipe."""
    if plan.reuse is not None:  # what is kept is not among its instances
        return {}
    return {name: plan.steps[name].elements for name in _followers(plan.recipe)}


def raised(
    bounds: Mapping[str, int], recipe: Recipe, instances: Iterable[str], maxima: Mapping[str, int]
) -> dict[str, int]:
    """The bounds where each step of `maxima` may have so many instances, and not only those (by address) that it has."""
    counts: dict[str, int] = {}
    for address in instances:
        path, _ = parse_address(address)
        counts[path] = counts.get(path, 0) + 1
    found = dict(bounds)
    for name in bounds:
        for above in _above(recipe, name):
            had, most = counts.get(above, 0), maxima.get(above, 0)
            if 0 < had < most:
                found[name] = -(-found[name] * most // had)
    return found


def _followers(recipe: Recipe) -> Iterator[str]:
    for name, step in recipe.steps.items():
        fanout = fanout_of(step)
        source = recipe.steps.get(fanout.source or "")
        if step.kind == "tool" and fanout.kind is Fan.FIELD and source is not None and source.kind == "tool":
            yield name


def _above(recipe: Recipe, name: str) -> Iterator[str]:
    """The step that it follows, and what that one follows."""
    seen = {name}
    source = fanout_of(recipe.steps[name]).source if name in recipe.steps else None
    while source is not None and source in recipe.steps and source not in seen:
        seen.add(source)
        yield source
        source = fanout_of(recipe.steps[source]).source
