"""What the engine's parts share while one run goes: the books, the instances, the brake, and the ways to stop.

No part knows another; each is given this. What happens to an instance goes through here, so that the journal, the state
and the readers of it hear of it together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from zenflow.catalog.model import Catalog, Tool
from zenflow.clock import Clock
from zenflow.credits import ZERO
from zenflow.engine.budget.downstream_prices import DownstreamPrices
from zenflow.engine.budget.ledger import FrameBudgets, Ledger
from zenflow.engine.expansion.expander import Expander
from zenflow.engine.io.account_check import Identity
from zenflow.engine.io.client import ServiceClient
from zenflow.engine.io.recorder import Recorder
from zenflow.engine.model.instances import Instance, Status, StepRun, StopReason
from zenflow.engine.model.ports import Limits, Parts, StopSignal
from zenflow.history import events as e
from zenflow.journal.base import JournalError
from zenflow.plan.model import PlannedStep
from zenflow.providers.base import ServiceError


@dataclass(slots=True)
class Context:
    parts: Parts
    recorder: Recorder
    expander: Expander
    service: ServiceClient
    ledger: Ledger
    frame_budgets: FrameBudgets
    planned: Mapping[str, PlannedStep]
    planned_prices: Mapping[str, Decimal]  # question key → the price that the plan showed
    downstream: DownstreamPrices
    catalog: Catalog
    stop: StopSignal
    account_id: str
    began_s: float
    instances: dict[str, Instance] = field(default_factory=dict)  # paid ones, by address
    stop_reasons: list[StopReason] = field(default_factory=list)
    paused: dict[Instance, StopReason] = field(default_factory=dict)  # instances that wait for a person or for money
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    defects: list[BaseException] = field(default_factory=list)

    blind: StopReason | None = None  # nothing more can be learnt in this process: sign-in, or a lasting silence

    identity: Identity = field(init=False)

    def __post_init__(self) -> None:
        self.identity = Identity(self.service, self.account_id)

    def task_ended(self, task: asyncio.Task[None]) -> None:
        """Something of ours went wrong in the background: a journal that fails is known already, the rest is a defect."""
        self.wake.set()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, JournalError):
            self.defects.append(error)

    def stop_polling(self, error: ServiceError) -> None:
        """What runs goes on at the service; a resume takes it up."""
        self.stop_run(error.code, error.message, error.hint or "`zenflow resume RUN` goes on from here.")
        self.blind = self.stop_reasons[-1]

    def instance(self, address: str) -> Instance:
        """The living instance of a journaled address. Raises KeyError where the recipe has none any more."""
        return self.instances[address]

    @property
    def clock(self) -> Clock:
        return self.parts.clock

    @property
    def limits(self) -> Limits:
        return self.parts.limits

    @property
    def takes_new_work(self) -> bool:
        """Whether anything new may be paid."""
        return not self.stop_reasons and not self.stop.draining and self.recorder.failed is None

    def tool(self, instance: Instance) -> Tool | None:
        return self.catalog.tools.get(instance.step.spec.uses)

    def plan_of(self, step: StepRun) -> PlannedStep | None:
        return self.planned.get(step.plan_path)

    def downstream_credits(self, instance: Instance) -> Decimal:
        planned = self.plan_of(instance.step)
        return planned.downstream_credits if planned is not None else ZERO

    def downstream_seconds(self, instance: Instance) -> float:
        planned = self.plan_of(instance.step)
        return planned.downstream_seconds if planned is not None else 0.0

    # ------------------------------------------------------------------------------------------- what becomes of instances

    def produce(
        self,
        instance: Instance,
        results: Mapping[str, Any],
        *,
        submission: int | None = None,
        position: int | None = None,
        credits: Decimal = ZERO,
        fingerprint: str = "",
        reused: Mapping[str, Any] | None = None,
    ) -> None:
        """An instance has its results. `reused`: those of an earlier run's instance."""
        now = self.recorder.now()
        event = e.Produced(
            now, instance.address, results, submission, position, credits, fingerprint, dict(reused or {})
        )
        self.recorder.record(event)
        self.settle(instance, Status.DONE, results=results)

    def skip(self, instance: Instance, reason: str) -> None:
        self.recorder.record(e.InstanceSkipped(self.recorder.now(), instance.address, reason))
        self.settle(instance, Status.SKIPPED, message=reason)

    def fail(
        self,
        instance: Instance,
        code: str,
        message: str,
        hint: str = "",
        *,
        paid: bool = False,
        left: Mapping[str, Any] | None = None,
    ) -> None:
        """An instance has failed for good in this run. `left`: what exists of its results all the same."""
        self.recorder.record(e.InstanceFailed(self.recorder.now(), instance.address, code, message, hint, paid))
        self.settle(instance, Status.FAILED, code=code, message=message, hint=hint, results=left)

    def block(self, instance: Instance, by: str) -> None:
        """Something it reads has failed. Not a fact of its own: it follows from the failure."""
        self.settle(instance, Status.BLOCKED, message=f"{by} failed")

    def settle(self, instance: Instance, status: Status, **facts: Any) -> None:
        if status is not Status.DONE:
            self.ledger.release_downstream(instance)
        self.expander.settle(instance, status, **facts)
        self.wake.set()

    def pause(self, instance: Instance, reason: StopReason) -> None:
        """It waits for a person or for money; a resume takes it up again."""
        instance.status = Status.STOPPED
        instance.code, instance.message, instance.hint = reason.code, reason.message, reason.hint
        self.paused[instance] = reason
        self.wake.set()

    def unpause(self, instance: Instance) -> None:
        """What held it is gone."""
        self.paused.pop(instance, None)
        instance.status = Status.WAITING
        instance.code = instance.message = instance.hint = ""
        self.wake.set()

    def stop_run(self, code: str, message: str, hint: str) -> None:
        """Nothing new is paid from here on; what is paid is waited for and saved."""
        found = StopReason(code, message, hint)
        if found not in self.stop_reasons:
            self.stop_reasons.append(found)
        self.wake.set()

    def suspend(self, instance: Instance, status: Status, message: str, why: StopReason | None = None) -> None:
        """Late, unknown or lost: it is paid or may be, and nothing more is done about it in this process. `why`: what
        stands in the way of going on with it."""
        instance.status = status
        instance.message = message
        if why is not None:
            instance.code, instance.message, instance.hint = why.code, f"{message}; {why.message}", why.hint
        self.wake.set()
