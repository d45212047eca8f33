"""What follows an instance: how long the way to the end still is, and what it costs to make the instance useful.

The engine keeps the latter free before it starts an instance (“tails before heads”, docs/money.md), and goes by the
former to take
the longest way first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal

from zenflow.credits import ZERO, Credits
from zenflow.plan.analysis.dependencies import descendants, longest_ways, topological_order
from zenflow.plan.analysis.draft import RecipeDraft, StepDraft
from zenflow.plan.model import PlannedStep

_MOST_STEPS = 3000  # everything that follows everything is quadratic
_GRAIN = Decimal("0.000001")  # rounded down: the shares of all instances must not add up to more than what follows


def flat_needs(pairs: Sequence[tuple[RecipeDraft, StepDraft]]) -> dict[str, tuple[str, ...]]:
    """Per path, the paths before it. A recipe used as a step is done when its inner steps are, which start after its needs."""
    needs: dict[str, dict[str, None]] = {}
    for draft, step in pairs:
        own = needs.setdefault(step.path, {})
        own.update(dict.fromkeys(draft.prefix + name for name in step.needs))
        parent = draft.prefix.rstrip("/")
        if parent:
            needs[parent][step.path] = None
            own.update({name: None for name in needs[parent] if not name.startswith(draft.prefix)})
    return {path: tuple(names) for path, names in needs.items()}


def downstream_seconds(
    steps: Mapping[str, PlannedStep], needs: Mapping[str, Sequence[str]]
) -> tuple[dict[str, float], dict[str, Credits]]:
    """Per path: the longest way to the end in seconds, and the expected credits that must follow one instance."""
    order = topological_order(list(steps), needs)
    ways = longest_ways(order, needs, {path: step.usual_s for path, step in steps.items()})
    after = descendants(order, needs) if len(steps) <= _MOST_STEPS else _readers(needs)
    follow = {path: _share(step, [steps[name] for name in after[path]]) for path, step in steps.items()}
    return ways, follow


def _readers(needs: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Only what follows directly: less than all of it, which at worst leaves more half done."""
    found: dict[str, set[str]] = {path: set() for path in needs}
    for path, before in needs.items():
        for name in before:
            found[name].add(path)
    return {path: frozenset(names) for path, names in found.items()}


def _share(step: PlannedStep, later: Sequence[PlannedStep]) -> Credits:
    """One instance's part of everything that follows: ten pictures that end in one film carry a tenth of it each."""
    total = sum((one.credits.expected for one in later), ZERO)
    share = (total / max(step.instances.expected, 1)).quantize(_GRAIN, ROUND_DOWN)
    return share.to_integral_value() if share == share.to_integral_value() else share.normalize()
