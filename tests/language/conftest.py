"""A recipe, run to its end on the scripted service; planned first, and held against its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.build import Harness, harness_of
from tests.support.fidelity import calls_by_path, hold_against, hold_exactly
from zenflow.engine.model.report import RunReport

Ran = Callable[..., "Done"]


@dataclass(frozen=True)
class Done:
    """What can be seen of a run."""

    stage: Harness
    report: RunReport

    @property
    def outputs(self) -> Mapping[str, Any]:
        return self.report.outputs

    @property
    def files(self) -> list[str]:
        return list(self.stage.contents())

    def addresses(self, step: str) -> list[str]:
        return [one.address for one in self.report.steps[step].instances]

    def indexes(self, step: str) -> list[int]:
        return [one.index for one in self.report.steps[step].instances]

    def statuses(self, step: str) -> list[str]:
        return [one.status for one in self.report.steps[step].instances]

    def sent(self, step: str = "") -> list[dict[str, Any]]:
        """The parameters of every paid call, in the order of instances."""
        calls = [call for intent in self.stage.intents() for call in intent.calls if call.instance.startswith(step)]
        order = {one.address: n for s in self.report.steps.values() for n, one in enumerate(s.instances)}
        return [dict(call.params) for call in sorted(calls, key=lambda call: order.get(call.instance, 0))]

    def prompts(self, step: str = "") -> list[Any]:
        return [params.get("prompt") for params in self.sent(step)]


def _agrees_with_its_plan(done: Done) -> None:
    """Where the plan was sure how many instances there are, there were that many; it never cost more than the worst."""
    plan = done.stage.plan
    assert plan is not None
    for path, planned in plan.steps.items():
        ran = done.report.steps.get(path)
        counted = 0 if ran is None else sum(1 for one in ran.instances if one.status != "skipped")
        assert counted <= planned.instances.max, path
        failed = any(one.status == "failed" for step in done.report.steps.values() for one in step.instances)
        if planned.instances.exact and done.report.status == "done" and not failed:
            assert counted == planned.instances.min, path
    made, spent = calls_by_path(done.stage.state()), done.report.state.totals.spent
    failed = any(one.status == "failed" for step in done.report.steps.values() for one in step.instances)
    if done.report.status == "done" and not failed:
        hold_against(plan, made, spent, "the run")
        hold_exactly(plan, made, "the run")
    assert spent <= plan.credits.worst


@pytest.fixture
def ran() -> Ran:
    def run(text: str, others: Mapping[str, str] | None = None, *, fate: Any = None, **parts: Any) -> Done:
        stage = harness_of(text, others, **{"budget": 1000, **parts})
        if fate is not None:
            stage.service.fate = fate
        done = Done(stage, stage.finished())
        _agrees_with_its_plan(done)
        return done

    return run


@pytest.fixture
def gives(ran: Ran) -> Callable[..., Any]:
    """What one expression gives, as an output of a recipe that was run."""

    def value(expression: str, **inputs: Any) -> Any:
        kinds = {list: "array", dict: "object", str: "string", int: "integer", float: "number", bool: "boolean"}
        declared = "".join(f"  {name}: {{type: {kinds[type(given)]}}}\n" for name, given in inputs.items())
        quoted = expression.replace("'", "''")
        text = (f"inputs:\n{declared}" if declared else "") + (
            "steps:\n  up: {uses: upload, with: {source: 'data:image/png;base64,AAAA'}}\n"
            f"outputs:\n  it: '${{{{ {quoted} }}}}'\n"
        )
        return ran(text, inputs=inputs).outputs["it"]

    return value
