"""The paid road of one batch: quote → room → reserve and intend (durable) → one POST → what its answer means.

One journaled attempt is at most one POST. Nothing here repeats a request: after an answer that did not come, `task_lookup`
decides, along the table of docs/money.md (`response_class`).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from zenflow.catalog.check import with_default_model
from zenflow.catalog.gates import Gates
from zenflow.credits import ZERO, as_text, in_words
from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.model.instances import Instance, Status, StopReason
from zenflow.engine.model.ready_queue import Priced, Ready, ReadyQueue, batches
from zenflow.engine.payment import refusals
from zenflow.engine.payment.asset_refresh import OldAssets
from zenflow.engine.payment.param_check import ParamCheck
from zenflow.engine.payment.pricing import Pricing
from zenflow.engine.payment.sender import fact_of, post, status_of
from zenflow.engine.reconciliation.unrecognized_tasks import UnrecognizedTasks
from zenflow.history import events as e
from zenflow.history.state import SubmissionState
from zenflow.ids import stamp_for
from zenflow.journal.base import Cap, CapReached
from zenflow.providers.base import SIGN_IN_AGAIN, ServiceError, SubmitAnswer

COMMENT_LIMIT = 500  # docs/service.md, “Generation”
Position: TypeAlias = Callable[[], tuple[str | None, Decimal | None]]
"""The newest transaction row seen so far, and the balance of the account there."""
SMALL_AMOUNT = Decimal(100)  # credits that may go out in one submission whatever the budget is
STOPPING = StopReason("ZF636", "the run is to stop", "`zenflow resume RUN` looks for it again.")


class Submitter:
    """Takes ready paid calls and sends them, as far as slots and money go."""

    def __init__(self, context: Context, queue: ReadyQueue, gates: Gates, position: Position) -> None:
        self.queue = queue
        self.in_flight = 0  # calls, reserved or accepted, not over
        self.on_accepted: Callable[[SubmissionState], None] = lambda submission: None
        self.on_lost: Callable[[SubmissionState], None] = lambda submission: None  # not sent, or unknown
        self._context = context
        self.pricing = Pricing(context)
        self._check = ParamCheck(gates)
        self._numbers = itertools.count(context.recorder.state.next_submission)
        self._sending: set[asyncio.Task[None]] = set()
        self.unrecognized_tasks: UnrecognizedTasks | None = None  # of a resume
        self.old_assets: OldAssets | None = None
        self._behind: list[Ready] = []  # held while a task that nobody knows may have asked for them
        self._position = position

    # ------------------------------------------------------------------------------------------------------------- ready

    def take(self, instance: Instance, params: dict[str, Any]) -> None:
        """A paid instance whose parameters are known: checked once more, then queued (promise 1)."""
        context = self._context
        tool = context.tool(instance)
        if tool is None:
            spec = instance.step.spec
            context.fail(instance, "ZF401", f"the service has no tool `{spec.uses}`", "See `zenflow tools`.")
            return
        sent = with_default_model(tool, params)
        error = self._check.error_in(instance, tool, sent)
        if error is not None:
            context.fail(instance, error.code, error.message, error.hint or "")
            return
        tries = len(instance.journaled.submissions) if instance.journaled is not None else 0
        self.queue.push(Ready(instance, tool.name, sent, tries + 1), context.downstream_seconds(instance))

    def again(self, ready: Ready) -> None:
        """Back into the queue: not sent yet, or a declared retry."""
        self.queue.push(ready, self._context.downstream_seconds(ready.instance))

    @property
    def has_slots(self) -> bool:
        """Whether one more call may run beside those in flight."""
        return self.in_flight < self._context.limits.in_flight

    @property
    def is_sending(self) -> bool:
        return bool(self._sending)

    # ---------------------------------------------------------------------------------------------------------- dispatch

    async def dispatch(self, idle: bool) -> None:
        """Send what may go now. `idle`: nothing runs, so nothing can release money and nothing is owed any more."""
        context = self._context
        while context.takes_new_work and len(self.queue):
            slots = context.limits.in_flight - self.in_flight
            candidates = self.queue.pop_up_to(slots)
            if not candidates:
                return
            if idle and not self.in_flight:
                context.ledger.release_all_downstream()
            fresh = [ready for ready in candidates if not await self._already_asked(ready)]
            fresh = [ready for ready in fresh if not self._may_be_asked(ready)]
            if self.old_assets is not None:
                fresh = await self.old_assets.readable(fresh, self.again)
            chosen, waiting = await self._affordable(fresh)
            for ready in waiting:
                self.again(ready)
            for batch in batches(chosen, context.limits.batch, self._max_submission()):
                self._start(self._send(batch))
            if waiting or len(chosen) < len(candidates):
                return

    async def _already_asked(self, ready: Ready) -> bool:
        """A task that the journal lost may hold this very call: then it is taken over, never sent again."""
        unrecognized = self.unrecognized_tasks.claim(ready) if self.unrecognized_tasks is not None else None
        if unrecognized is None or self.unrecognized_tasks is None:
            return False
        ready.instance.status = Status.RUNNING
        if unrecognized.is_fully_matched:
            inputs = unrecognized.task.inputs
            try:
                prices = await self.pricing.prices_of(ready.tool, inputs)
            except ServiceError as error:
                self._no_prices(error)
                return True
            if unrecognized.debit is None and None in prices:
                return True  # what it has cost nobody can say: it is told at the end, and lets nothing be paid
            known = [price or ZERO for price in prices]
            submission = await self.unrecognized_tasks.adopt(unrecognized, known, self._context.account_id)
            self.in_flight += len(inputs)
            for call in submission.calls:
                self._context.ledger.took_over(self._instance(call.call.instance), call.call.quote)
            self.on_accepted(submission)
            self._let_go()
        return True

    def _may_be_asked(self, ready: Ready) -> bool:
        """While a task with our stamp is unrecognised, nothing goes out with its tool: it could be the same again, and paid
        again (docs/money.md, “Resume”)."""
        unrecognized = None if self.unrecognized_tasks is None else self.unrecognized_tasks.of_tool(ready.tool)
        if unrecognized is None:
            return False
        said = f"task {unrecognized.task.task_id} of {ready.tool} carries this run's stamp, and may be this very call"
        self._context.pause(
            ready.instance, StopReason("ZF646", said, "`zenflow reconcile RUN` shows it and takes your decision.")
        )
        self._behind.append(ready)
        return True

    def _let_go(self) -> None:
        """A task was recognised: what waited for that is looked at again."""
        behind, self._behind = self._behind, []
        for ready in behind:
            self._context.unpause(ready.instance)
            self.again(ready)

    def skip_numbers(self, highest: int) -> None:
        """Count on from here: a stamp is never used twice."""
        self._numbers = itertools.count(max(highest + 1, self._context.recorder.state.next_submission))

    async def _affordable(self, candidates: Sequence[Ready]) -> tuple[list[Priced], list[Ready]]:
        """What may be sent now, reserved; what must wait. The others fail or are held, each with its reason."""
        try:
            calls = await self.pricing.priced(candidates)
        except ServiceError as error:
            self._no_prices(error)
            return [], list(candidates)
        chosen, waiting = await self.pricing.affordable(calls, busy=self.in_flight > 0)
        self.in_flight += len(chosen)
        return chosen, waiting

    def _max_submission(self) -> Decimal:
        """What one `create_task` may cost. One task takes N calls; the bound on what a service can charge beyond its quotes
        applies only where a quarter of the budget is a large amount."""
        bound = self._context.limits.max_submission
        return max(self._context.recorder.state.budget / 4, SMALL_AMOUNT) if bound is None else bound

    # ------------------------------------------------------------------------------------------------------------ sending

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._context.task_ended(task)

    async def _send(self, batch: Sequence[Priced]) -> None:
        context = self._context
        await self._check_identity()
        await context.service.limiter.acquire(Kind.CREATE)
        is_fresh = self.pricing.quotes.are_fresh(
            call.price_request for call in batch
        )  # the brake may have held it for long
        if not context.takes_new_work or not is_fresh:
            self._return_unsent(batch)
            return
        intended, since_s = self._intended(batch), context.clock.monotonic_s()
        for call in batch:
            call.ready.instance.status = Status.RUNNING
        try:
            await context.recorder.reserve_and_intend(intended, self._cap())
        except CapReached as reached:
            self._return_unsent(batch)
            for call in batch:
                self._unqueue(call.ready)
                context.pause(call.ready.instance, StopReason(reached.code, reached.message, reached.hint or ""))
            return
        context.ledger.journaled(intended.quote)
        await self._post(intended.submission, 1, since_s)

    async def _check_identity(self) -> None:
        """Nothing new is paid unless the sign-in is the run's account's."""
        try:
            await self._context.identity.check()
        except ServiceError as error:
            self._context.stop_polling(error)

    def _unqueue(self, ready: Ready) -> None:
        """Take one call out of the queue again."""
        for other in self.queue.drain():
            if other is not ready:
                self.again(other)

    def _return_unsent(self, batch: Sequence[Priced]) -> None:
        for call in batch:
            self._context.ledger.take_back(call.ready.instance, call.quote, was_pending=True)
            call.ready.instance.status = Status.WAITING
            self.in_flight -= 1
            self.again(call.ready)

    def _intended(self, batch: Sequence[Priced]) -> e.Intended:
        context = self._context
        started = context.recorder.state.started
        assert started is not None
        number = next(self._numbers)
        stamp = stamp_for(started.stamp_run, number)
        steps = dict.fromkeys(call.ready.instance.step.path for call in batch)
        comment = f"{stamp} zenflow {started.recipe_name}: {', '.join(steps)}"[:COMMENT_LIMIT]
        calls = tuple(
            e.IntendedCall(c.ready.instance.address, c.ready.try_number, c.quote, c.ready.params) for c in batch
        )
        tool = batch[0].ready.tool
        now = context.recorder.now()
        watermark, balance = self._position()
        return e.Intended(now, number, stamp, tool, comment, calls, watermark, context.account_id, balance)

    def _cap(self) -> Cap | None:
        context = self._context
        if context.parts.per_day is None:
            return None
        return Cap(context.account_id, f"{context.clock.now():%Y-%m-%d}", context.parts.per_day)

    async def send_again(self, submission: SubmissionState) -> StopReason | None:
        """Attempt k+1 of the same intent; or why not. The caller has looked (docs/money.md: never without)."""
        context = self._context
        await self._check_identity()
        why_not = await self._why_not_again(submission)
        if not submission.needs_lookup:  # a round of the watcher has found it while we looked, or asked for its price
            return None
        if why_not is not None:
            return why_not
        if not context.takes_new_work:
            return context.stop_reasons[-1] if context.stop_reasons else STOPPING
        attempt = submission.attempts + 1
        now, since_s = context.recorder.now(), context.clock.monotonic_s()
        watermark, balance = self._position()
        await context.recorder.commit(e.Attempted(now, submission.number, attempt, watermark, balance=balance))
        await self._post(submission.number, attempt, since_s)
        return None

    async def _why_not_again(self, submission: SubmissionState) -> StopReason | None:
        """The budget must hold what is committed by now, and at a fresh quote it must cost no more than what was set aside for
        it (promise 3): a person decides then."""
        overdrawn = self._context.ledger.overdrawn()  # what another copy of the journal has made counts too
        if overdrawn is not None:
            return StopReason(overdrawn.code, overdrawn.message, overdrawn.hint)
        decides = f"`zenflow reconcile RUN`: adopt a task, `--resubmit {submission.number}` at a price, or give it up."
        try:
            total = await self.pricing.total_of(submission)
        except ServiceError as error:
            self._no_prices(error)
            return self._context.stop_reasons[-1]
        if total is None:
            return StopReason("ZF631", "no price can be had for sending it again", decides)
        if total <= submission.quote:
            return None
        text = f"sending it again costs {in_words(total)} now, and {as_text(submission.quote)} were set aside"
        return StopReason("ZF633", text, decides)

    def _no_prices(self, error: ServiceError) -> None:
        hint = error.hint or "`zenflow resume RUN`"
        self._context.stop_run(error.code, f"prices cannot be asked: {error.message}", hint)

    async def _post(self, number: int, attempt: int, since_s: float) -> None:
        """The one POST of one attempt; then what its answer means."""
        submission = self._context.recorder.state.submissions[number]
        answer = await post(self._context, submission, since_s)
        if answer is not None:
            await self._take_answer(submission, attempt, answer)

    # ------------------------------------------------------------------------------------------------------------ answers

    async def _take_answer(self, submission: SubmissionState, attempt: int, answer: SubmitAnswer) -> None:
        fact = fact_of(self._context, submission, attempt, answer)
        await self._context.recorder.commit(fact)
        if isinstance(fact, e.Accepted):
            self.on_accepted(submission)
        elif isinstance(fact, e.SubmissionRefused):
            await self._refused(submission, fact)
        else:
            if isinstance(fact, e.OutcomeUnknown):
                self._say_words(submission, fact)
            if isinstance(fact, e.NotSent):
                self._mind_the_rate(answer)
            self.on_lost(submission)

    def _mind_the_rate(self, answer: SubmitAnswer) -> None:
        status = status_of(answer)
        if status == 429:
            pause_s = self._context.service.limiter.back_off(answer.facts.retry_after_s)
            self._context.service.status_text = f"rate limited, going on in {pause_s:.0f} s"
        elif status == 401 and not answer.token_renewed:
            self._context.stop_run("ZF703", "the service no longer accepts the sign-in", SIGN_IN_AGAIN)

    def _say_words(self, submission: SubmissionState, fact: e.OutcomeUnknown) -> None:
        """An answer that came and could not be taken for a yes or a no: its words are shown at once."""
        if fact.detail.startswith("answered"):
            recorder, said = self._context.recorder, f"#{submission.number} ({submission.tool}): {fact.detail}"
            recorder.record(e.Noted(recorder.now(), "ZF638", said))

    async def refusal_confirmed(self, submission: SubmissionState) -> None:
        """The service had answered no, and a lookup has found neither a task nor a debit: it is a refusal."""
        no, recorder = submission.refusal, self._context.recorder
        said, violations = str(no.get("message", submission.detail)), tuple(no.get("violations", ()))
        fact = e.SubmissionRefused(recorder.now(), submission.number, no.get("status"), said, violations)
        await recorder.commit(fact)
        await self._refused(submission, fact)

    async def _refused(self, submission: SubmissionState, no: e.SubmissionRefused) -> None:
        """It is released; one bad input must not sink the others of its batch (docs/money.md, “The life of a submission”)."""
        context = self._context
        living = [(context.instances.get(call.call.instance), call.call) for call in submission.calls]
        calls = [(instance, call) for instance, call in living if instance is not None]
        self.in_flight -= len(calls)
        for instance, call in calls:
            context.ledger.take_back(instance, call.quote, was_pending=False)
            instance.status = Status.WAITING
        if no.status == 402:
            stop = refusals.out_of_credits(no)
            context.stop_run(stop.code, stop.message, stop.hint)
            for instance, _ in calls:
                context.pause(instance, stop)
            return
        rejected = await refusals.rejected_inputs(context, self.pricing.quotes, submission.tool, calls, no)
        max_batch_size = max(1, len(calls) // 2) if not rejected else len(calls)
        for position, (instance, call) in enumerate(calls):
            if position in rejected:
                reason = refusals.reason_for(instance, position, no, len(calls))
                context.fail(instance, refusals.code_of(no), reason, refusals.HINT)
            else:
                self.again(Ready(instance, submission.tool, call.params, call.try_number, max_batch_size))

    def _instance(self, address: str) -> Instance:
        return self._context.instance(address)

    # ---------------------------------------------------------------------------------------------------------- the rest

    def finished(self, count: int = 1) -> None:
        """Calls are over, or rest: their slots are free."""
        self.in_flight = max(0, self.in_flight - count)

    def contradicted(self, submission: SubmissionState, amount: Decimal) -> None:
        """A debit of another amount than the quote: booked, named; the step stops until quoted anew."""
        self.pricing.contradicted(submission, amount)
        text = (
            f"{submission.tool} was quoted at {in_words(submission.quote)} and charged {as_text(amount)} "
            f"(task {submission.task_id})"
        )
        self._context.recorder.record(e.Noted(self._context.recorder.now(), "ZF634", text))

    async def wait_for_sending(self) -> None:
        """Return when no POST is on the wire."""
        while self._sending:
            await asyncio.wait(set(self._sending))
