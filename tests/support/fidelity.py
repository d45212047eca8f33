"""A plan held against the run that it foretold: the calls of every step and the charges of all.

Exact where the plan says so, inside its interval where it does not; and the plan of what is left after a failure, as a resume
shows it before it goes on.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from tests.support.build import Harness
from tests.support.provider import Script, ScriptedProvider
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.history.state import Outcome, RunState
from zenflow.plan.build import PlanRequest, build_plan
from zenflow.plan.model import BudgetLine, Count, Plan, PlannedStep, ReuseEstimate

_KEY = re.compile(r"(\.\d+)+(?=/|$)")


def calls_by_path(state: RunState) -> Counter[str]:
    """Paid calls that were accepted, by the path of their step."""
    made: Counter[str] = Counter()
    for submission in state.submissions.values():
        if submission.outcome is Outcome.ACCEPTED:
            made.update(_KEY.sub("", call.call.instance) for call in submission.calls)
    return made


def hold_against(plan: Plan, made: Mapping[str, int], charged: Decimal, what: str) -> None:
    """Raises AssertionError that names the step and both numbers."""
    for path, step in plan.steps.items():
        if step.is_paid:
            count = step.instances
            most = count.max * (1 + step.retries)
            calls = made.get(path, 0)
            assert count.min <= calls <= most, (
                f"{what} {path}: {calls} calls, planned {Count(count.min, count.expected, most)}"
            )
    assert not set(made) - set(plan.steps), f"{what}: calls of steps that the plan does not have"
    assert plan.credits.low <= charged <= plan.credits.worst, f"{what}: {charged} charged, planned {plan.credits}"
    if plan.credits.exact:
        assert charged == plan.credits.expected, f"{what}: {charged} charged, planned {plan.credits}"


def hold_exactly(plan: Plan, made: Mapping[str, int], what: str) -> None:
    """For a run that is done: where a step's calls were sure, there were that many."""
    sure = {path: step.instances.max for path, step in plan.steps.items() if _is_sure(step)}
    assert {path: made.get(path, 0) for path in sure} == sure, what


def _is_sure(step: PlannedStep) -> bool:
    return step.is_paid and step.instances.exact and not step.retries


def rest_plan(stage: Harness, reuse_estimates: Mapping[str, ReuseEstimate]) -> Plan:
    """What `zenflow resume` shows before it goes on; `reuse_estimates`: what is known of the rest, from the run's facts."""
    assert stage.plan is not None
    asking = ScriptedProvider(stage.service, Script(latency_s=lambda method: 0.0))

    async def ask(price_requests: Sequence[PriceRequest]) -> Mapping[str, Quote]:
        return {price_request.key: _quote(asking, price_request) for price_request in price_requests}

    request = PlanRequest(
        recipe=stage.recipe,
        inputs=stage.all_inputs(),
        server=asking.server,
        catalog=stage.plan.catalog,
        account=stage.plan.account,
        bounds=(BudgetLine(Decimal(100_000), "--budget"),),
        max_overrides={**stage.maxima, **stage.state().options.get("max", {})},
        reuse_estimates=reuse_estimates,
    )
    return asyncio.run(build_plan(request, ask))


def _quote(asking: ScriptedProvider, price_request: PriceRequest) -> Quote:
    price = asking.service.price(price_request.tool, price_request.params)
    return Quote(price, asking.clock.now(), placeholder=price_request.placeholder)
