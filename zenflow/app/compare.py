"""What every model and resolution that a recipe may use would cost, step by step, and what a switch would save and lose.

Asks `compare_prices`, which costs nothing, once per distinct request; nothing here can submit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from zenflow.app.asking import patiently
from zenflow.app.wiring import Inquiry
from zenflow.catalog.check import form_of
from zenflow.catalog.gates import Gates, is_open
from zenflow.catalog.model import Model, Tool
from zenflow.credits import ZERO, credits_from
from zenflow.plan.model import Plan, PlannedStep
from zenflow.providers.base import ServiceError
from zenflow.recipe.model import Recipe


@dataclass(frozen=True, slots=True)
class Choice:
    """One model (and resolution) for a step. `total`: what its expected calls would cost; `saves` may be negative.

    `each` is the price of one call where all cost the same. `loses` is what a person should know before a switch.
    """

    model: str
    resolution: str | None
    each: Decimal | None
    total: Decimal
    saves: Decimal
    is_used: bool
    loses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepChoices:
    """The choices of one step, the cheapest first. `closed`: models with a price that may not be used, and why."""

    path: str
    tool: str
    calls: int
    choices: tuple[Choice, ...]
    closed: tuple[tuple[str, str], ...] = ()

    @property
    def used(self) -> Choice | None:
        return next((choice for choice in self.choices if choice.is_used), None)

    @property
    def cheapest(self) -> Choice | None:
        return next((choice for choice in self.choices if choice.saves > 0), None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`saves`: what the cheapest choice of every step would save of the expected total."""

    steps: tuple[StepChoices, ...]
    why_not: tuple[tuple[str, str], ...] = ()  # steps that could not be compared

    @property
    def saves(self) -> Decimal:
        return sum((step.cheapest.saves for step in self.steps if step.cheapest is not None), ZERO)


_Prices = Mapping[tuple[str, str | None], Decimal]


async def compare(plan: Plan, to: Inquiry) -> Comparison:
    """Every step that is paid and whose tool has models."""
    found: list[StepChoices] = []
    why_not: list[tuple[str, str]] = []
    for step in plan.steps.values():
        tool = plan.catalog.tools.get(step.uses) if step.is_paid else None
        if tool is None or step.instances.expected == 0:
            continue
        if not tool.models:
            why_not.append((step.path, "the tool has no models to choose from"))
            continue
        try:
            found.append(await _choices(step, tool, plan, to))
        except ServiceError as error:
            if error.trouble not in ("invalid", "not_found", "forbidden", "absent"):
                raise
            why_not.append((step.path, error.message))
    return Comparison(tuple(found), tuple(why_not))


async def _choices(step: PlannedStep, tool: Tool, plan: Plan, to: Inquiry) -> StepChoices:
    resolutions = _resolutions(tool)
    questions = [plan.prices.questions[key] for key in step.questions if key in plan.prices.questions]
    answers = await asyncio.gather(*(_asked(tool, question.params, resolutions, to) for question in questions))
    calls = [step.questions[question.key] for question in questions]
    used = {_used(question.params, bool(resolutions)) for question in questions}
    now = step.credits.expected
    gates = Gates(_nsfw_of(plan.recipe, step.path), to.settings.allows_nsfw, plan.account)
    known = frozenset.intersection(*(frozenset(answer) for answer in answers)) if answers else frozenset()
    current = tool.model(next(iter(used))[0]) if len(used) == 1 else None
    choices, closed = [], dict[str, str]()
    for name, resolution in known:
        model = tool.model(name)
        if model is None or not is_open(tool, model, gates):
            closed[name] = _why_closed(model)
            continue
        prices = [answer[name, resolution] for answer in answers]
        total = sum((price * count for price, count in zip(prices, calls, strict=True)), ZERO)
        each = prices[0] if len(set(prices)) == 1 else None
        is_used = used == {(name, resolution)}
        loses = () if is_used else tuple(_losses(current, model, next(iter(used))[1], resolution))
        choices.append(Choice(name, resolution, each, total, now - total, is_used, loses))
    choices.sort(key=lambda choice: (choice.total, not choice.is_used, choice.model, choice.resolution or ""))
    return StepChoices(step.path, tool.name, sum(calls), tuple(choices), tuple(sorted(closed.items())))


async def _asked(tool: Tool, params: Mapping[str, Any], resolutions: Sequence[str], to: Inquiry) -> _Prices:
    sent = {name: value for name, value in params.items() if name not in ("model", "resolution")}
    answer = await patiently(lambda: to.provider.compare(tool.name, sent, resolutions), to.clock)
    found: dict[tuple[str, str | None], Decimal] = {}
    for row in answer.get("prices") or ():
        price = credits_from(row.get("price")) if isinstance(row, Mapping) else None
        if price is not None:
            resolution = row.get("resolution")
            found[str(row.get("model", "")), None if resolution is None else str(resolution)] = price
    return found


def _resolutions(tool: Tool) -> tuple[str, ...]:
    choices = form_of(tool).fields.get("resolution", {}).get("enum")
    return tuple(map(str, choices)) if isinstance(choices, list) else ()


def _used(params: Mapping[str, Any], sweeps: bool) -> tuple[str, str | None]:
    resolution = params.get("resolution") if sweeps else None
    return str(params.get("model", "")), None if resolution is None else str(resolution)


def _nsfw_of(recipe: Recipe, path: str) -> Any:
    """The policy of every recipe around a step, the narrowest."""
    nsfw, inside = recipe.policy.nsfw, recipe
    for name in path.split("/")[:-1]:
        inner = inside.steps[name].recipe
        if inner is None:
            break
        inside = inner
        nsfw = "deny" if inside.policy.nsfw == "deny" else nsfw
    return nsfw


def _why_closed(model: Model | None) -> str:
    if model is None or model.blocked:
        return "blocked at the moment"
    return "an adult model" if model.adult else "for trusted accounts"


def _losses(current: Model | None, other: Model, before: str | None, after: str | None) -> Sequence[str]:
    """What is different about the other model, as far as the service says."""
    found = []
    if before is not None and after is not None and before != after:
        found.append(f"{after} instead of {before}")
    if current is None or other.value == current.value:
        return found
    if other.trusted_only and not current.trusted_only:
        found.append("for trusted accounts only")
    if current.adult and not other.adult:
        found.append("no adult content")
    if other.adult and not current.adult:
        found.append("makes adult content")
    rules, old = other.row.get("input_constraints"), current.row.get("input_constraints")
    if isinstance(rules, Mapping) and rules != old:
        found += [f"{name}: {_short(allowed)}" for name, allowed in rules.items()]
    notes = other.row.get("notes")
    if isinstance(notes, str) and notes and notes != current.row.get("notes"):
        found.append(notes.rstrip("."))
    return found


def _short(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
