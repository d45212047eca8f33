"""What every model and resolution that a recipe may use would cost, step by step, and what a switch would save and lose.

Asks `compare_prices`, which costs nothing, once per distinct question; where a tool has no models but a choice of
resolutions, `estimate_price` for each. Nothing here can submit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from zenflow.app.connection.retry import LimitedQueries
from zenflow.app.connection.wiring import ReadOnlyConnection, limits_of, open_pace
from zenflow.catalog.check import form_of
from zenflow.catalog.gates import Gates, is_open
from zenflow.catalog.model import Model, Tool
from zenflow.catalog.price_requests import free_fields, price_request_for
from zenflow.catalog.prices import PriceRequest, price_request_key
from zenflow.credits import ZERO, price_from
from zenflow.plan.model import Plan, PlannedStep
from zenflow.providers.base import ServiceError
from zenflow.recipe.model import Recipe


@dataclass(frozen=True, slots=True)
class ModelOption:
    """One model and resolution for a step; None where the tool has no choice of it.

    `total`: what its expected calls would cost; `saves` may be negative. `each` is the price of one call where all cost the
    same. `loses` is what a person should know before a switch.
    """

    model: str | None
    resolution: str | None
    each: Decimal | None
    total: Decimal
    saves: Decimal
    is_used: bool
    loses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepChoices:
    """The choices of one step, the cheapest first. `closed`: models that may not or cannot be used, and why."""

    path: str
    tool: str
    calls: int
    choices: tuple[ModelOption, ...]
    closed: tuple[tuple[str, str], ...] = ()

    @property
    def used(self) -> ModelOption | None:
        return next((choice for choice in self.choices if choice.is_used), None)

    @property
    def cheapest(self) -> ModelOption | None:
        return next(iter(self.cheaper), None)

    @property
    def cheaper(self) -> tuple[ModelOption, ...]:
        """Those that would save something, the greatest saving first."""
        return tuple(choice for choice in self.choices if choice.saves > 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`saves`: what the cheapest choice of every step would save of the expected total."""

    steps: tuple[StepChoices, ...]
    why_not: tuple[tuple[str, str], ...] = ()  # steps that could not be compared

    @property
    def saves(self) -> Decimal:
        return sum((step.cheapest.saves for step in self.steps if step.cheapest is not None), ZERO)


_Key = tuple[str | None, str | None]  # model, resolution


@dataclass(frozen=True, slots=True)
class _Prices:
    """What one call would cost with each choice. `without`: models that cannot do it, and why."""

    of: Mapping[_Key, Decimal]
    without: Mapping[str, str] = field(default_factory=dict)


_NO_CHOICE = ("invalid", "not_found", "forbidden", "absent")


async def compare(plan: Plan, to: ReadOnlyConnection) -> Comparison:
    """Every step that is paid and whose tool leaves a choice."""
    found: list[StepChoices] = []
    why_not: list[tuple[str, str]] = []
    asker = _Asker(to)
    for step in plan.steps.values():
        tool = plan.catalog.tools.get(step.uses) if step.is_paid else None
        if tool is None or step.instances.expected == 0:
            continue
        if not tool.models and not _resolutions(tool):
            why_not.append((step.path, "the tool has no models to choose from"))
            continue
        if step.unpriced is not None:
            why_not.append((step.path, f"it has no price now: {step.unpriced}"))
            continue
        try:
            found.append(await _choices(step, tool, plan, to, asker))
        except ServiceError as error:
            if error.trouble not in _NO_CHOICE:
                raise
            why_not.append((step.path, error.message))
    return Comparison(tuple(found), tuple(why_not))


async def _choices(step: PlannedStep, tool: Tool, plan: Plan, to: ReadOnlyConnection, asker: _Asker) -> StepChoices:
    price_requests = [
        plan.prices.price_requests[key] for key in step.price_requests if key in plan.prices.price_requests
    ]
    answers = await asyncio.gather(*(asker.prices(tool, price_request) for price_request in price_requests))
    calls = [step.price_requests[price_request.key] for price_request in price_requests]
    used = {_used(tool, price_request.params) for price_request in price_requests}
    only = next(iter(used)) if len(used) == 1 else None
    gates = Gates(_nsfw_of(plan.recipe, step.path), to.settings.allows_nsfw, plan.account)
    closed = _without(answers)
    choices: list[ModelOption] = []
    for key in _known_to_all(answers):
        model = None if key[0] is None else tool.model(key[0])
        if key[0] is not None and (model is None or not is_open(tool, model, gates)):
            closed[key[0]] = _why_closed(model)
            continue
        prices = [answer.of[key] for answer in answers]
        total = sum((price * count for price, count in zip(prices, calls, strict=True)), ZERO)
        loses = () if key == only else tuple(_losses(tool, model, only, key[1]))
        each = prices[0] if len(set(prices)) == 1 else None
        choices.append(ModelOption(*key, each, total, step.credits.expected - total, key == only, loses))
    choices.sort(key=lambda one: (one.total, not one.is_used, one.model != tool.default_model, one.model or ""))
    return StepChoices(step.path, tool.name, sum(calls), tuple(choices), tuple(sorted(closed.items())))


def _known_to_all(answers: Sequence[_Prices]) -> Iterable[_Key]:
    """What every one of its calls could be made with, in the order of the first answer."""
    return [key for key in answers[0].of if all(key in answer.of for answer in answers)] if answers else []


def _without(answers: Sequence[_Prices]) -> dict[str, str]:
    return {model: reason for answer in answers for model, reason in answer.without.items()}


class _Asker:
    """Equal questions once: what differs in prompts and pictures alone has the same answer."""

    def __init__(self, to: ReadOnlyConnection) -> None:
        self._to = to
        self._queries = LimitedQueries(to.clock, limits_of(to.settings).requests_per_second, open_pace(to.settings))
        self._asked: dict[str, asyncio.Task[_Prices]] = {}

    async def prices(self, tool: Tool, price_request: PriceRequest) -> _Prices:
        sent = {name: value for name, value in price_request.params.items() if name not in ("model", "resolution")}
        key = price_request_key(tool.name, sent, free_fields(tool))
        task = self._asked.get(key)
        if task is None:
            work = self._compared(tool, sent) if tool.models else self._estimated(tool, sent)
            task = self._asked[key] = asyncio.create_task(work, name=f"compare {tool.name}")
        return await asyncio.shield(task)

    async def _compared(self, tool: Tool, sent: Mapping[str, Any]) -> _Prices:
        resolutions = _resolutions(tool)
        answer = await self._queries.ask(lambda: self._to.provider.compare(tool.name, sent, resolutions))
        found: dict[_Key, Decimal] = {}
        for row in _rows(answer.get("prices")):
            price = price_from(row.get("price"))
            if price is not None:
                found[str(row.get("model", "")), _text(row.get("resolution"))] = price
        priced = {model for model, _ in found}
        refused = {str(row.get("model", "")): str(row.get("reason", "")) for row in _rows(answer.get("errors"))}
        return _Prices(found, {model: why for model, why in refused.items() if model not in priced})

    async def _estimated(self, tool: Tool, sent: Mapping[str, Any]) -> _Prices:
        """`compare_prices` refuses tools without models (docs/service.md, “Generation”): a question for each resolution."""
        found: dict[_Key, Decimal] = {}
        for resolution in _resolutions(tool):
            price_request = price_request_for(tool, {**sent, "resolution": resolution})
            quote = await self._queries.ask(lambda price_request=price_request: self._to.provider.quote(price_request))  # type: ignore[misc]
            if quote.credits is not None:
                found[None, resolution] = quote.credits
        return _Prices(found)


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _resolutions(tool: Tool) -> tuple[str, ...]:
    choices = form_of(tool).fields.get("resolution", {}).get("enum")
    return tuple(map(str, choices)) if isinstance(choices, list) else ()


def _used(tool: Tool, params: Mapping[str, Any]) -> _Key:
    """What a call is made with now; a resolution left out is the tool's default, where it tells one."""
    own = form_of(tool).fields.get("resolution", {}).get("default")
    resolution = params.get("resolution", own) if _resolutions(tool) else None
    return _text(params.get("model")) if tool.models else None, _text(resolution)


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


def _losses(tool: Tool, other: Model | None, used: _Key | None, after: str | None) -> Sequence[str]:
    """What is different about another choice, as far as the service says."""
    before = None if used is None else used[1]
    current = tool.model(used[0]) if used is not None and used[0] is not None else None
    found = [f"{after} instead of {before}"] if None not in (before, after) and before != after else []
    if current is None or other is None or other.value == current.value:
        return found
    if other.trusted_only and not current.trusted_only:
        found.append("for trusted accounts only")
    if current.adult and not other.adult:
        found.append("no adult content")
    if other.adult and not current.adult:
        found.append("makes adult content")
    rules, old = other.row.get("input_constraints"), current.row.get("input_constraints")
    if isinstance(rules, Mapping) and rules != old:
        found += [f"{name} only {_short(allowed)}" for name, allowed in rules.items()]
    notes = other.row.get("notes")
    if isinstance(notes, str) and notes and notes != current.row.get("notes"):
        found.append(notes.rstrip("."))
    return found


def _short(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
