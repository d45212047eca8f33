"""A person's decision on a submission that is still unknown: adopt a task, send it again, or give it up.

Each is checked, journaled under the run's lease, and told; nothing is decided here by itself (docs/money.md, “After a lost
answer”).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from zenflow.credits import ZERO, as_text, in_words
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.maintenance.evidence import UnrecognizedTaskCase, same_inputs
from zenflow.engine.maintenance.session import MaintenanceSession
from zenflow.engine.maintenance.unrecognized_decisions import (
    Confirm,
    Decided,
    assign_unrecognized,
    price_now,
    write_off_unrecognized,
)
from zenflow.engine.payment.sender import fact_of, post
from zenflow.engine.reconciliation.call_binding import is_part
from zenflow.errors import Refused, Stopped, UsageError
from zenflow.history import events as e
from zenflow.history.state import Outcome, SubmissionState
from zenflow.providers.base import ServiceError, Task

AgreeToPrice = Callable[[SubmissionState, Decimal], None]
"""Says what it costs to send it again, and asks; returns when it is agreed to, raises Refused when not."""


def _not_asked(said: str) -> None:
    """Where nobody is asked, a person's word is not taken for what is missing."""
    raise Refused("ZF648", f"{said} Nothing was recorded.", "`zenflow reconcile RUN` asks.")


class Reconciler:
    """Carries decisions out."""

    def __init__(self, session: MaintenanceSession) -> None:
        self._session = session
        self._context = session.context

    # ------------------------------------------------------------------------------------------------------------- adopt

    async def adopt(self, number: int, task_id: str, confirm: Confirm = _not_asked) -> Decided:
        """Take a task for the submission's. Raises UsageError, Refused (it cannot be it, or what cannot be compared is not
        taken on a person's word), ServiceError."""
        submission = self._open(number)
        if submission.needs_decision:
            return await self._take_order(submission, task_id)
        task = await self._task(task_id)
        against = self._against(submission, task)
        if against:
            raise Refused(
                "ZF647",
                f"Task {task_id} is not submission #{number}: {'; '.join(against)}.",
                f"`zenflow tasks {task_id}` shows it. Nothing was recorded.",
            )
        recorder, said = self._context.recorder, f"task {task.task_id} is taken for it"
        accepted = e.Accepted(recorder.now(), number, task.task_id, task.total, adopted=True)
        missing = _missing(submission, task)
        if not task.inputs:
            confirm(f"Task {task_id} is to be taken for #{number}. What cannot be compared: {missing}.")
            note = f"task {task_id} was taken for #{number} by a person's word; not compared: {missing}"
            await recorder.commit(accepted, e.Noted(recorder.now(), "ZF648", note))
        else:
            await recorder.commit(accepted)
        await self._session.transactions.settle()
        said += f"; not compared: {missing}" if missing else ""
        return Decided(number, "adopt", said, task.task_id, True)

    async def _take_order(self, submission: SubmissionState, task_id: str) -> Decided:
        """A person has looked at its results, and they are right as they were bound."""
        number, recorder = submission.number, self._context.recorder
        if not submission.out_of_order:
            hint = f"`--write-off {number}`, then `zenflow resume RUN` makes them anew."
            raise Refused("ZF647", f"What is there of #{number} is taken; {submission.shortfall}.", hint)
        if task_id != submission.task_id:
            raise Refused("ZF647", f"#{number} is task {submission.task_id}, and no other can be taken for it.")
        await recorder.commit(e.Contradicted(recorder.now(), number, taken=True))
        return Decided(number, "adopt", "its results are taken as they are", submission.task_id, True)

    def _against(self, submission: SubmissionState, task: Task) -> list[str]:
        """Everything that says that this task is not the submission: owner, tool, number of calls, inputs."""
        found = []
        account_id = self._session.account.account_id
        if task.owner_id is not None and task.owner_id != account_id:
            found.append(f"it belongs to account {task.owner_id}, and the run to {account_id}")
        if task.tool != submission.tool:
            found.append(f"its tool is {task.tool}, and {submission.tool} was asked")
        part = is_part(submission, task)  # what is there is taken then, and the rest is told
        if task.total is not None and task.total != len(submission.calls) and not part:
            found.append(f"it has {task.total} calls, and {len(submission.calls)} were asked")
        elif task.inputs and not part and not same_inputs(submission, task):
            found.append("its inputs are others")
        holder = self._session.holder_of(task.task_id)
        if holder is not None:
            found.append(f"it is already {holder}")
        return found

    async def assign_unrecognized(
        self, unrecognized: UnrecognizedTaskCase, named: Sequence[str] = (), confirm: Confirm = _not_asked
    ) -> Decided:
        """A task that carries the run's stamp and that nothing in the journal asked for: taken for the calls that are
        `named`, or for all that wait, where the service does not tell its inputs; else booked under no step."""
        return await assign_unrecognized(self._session, unrecognized, named, confirm)

    async def write_off_unrecognized(self, unrecognized: UnrecognizedTaskCase) -> Decided:
        """Booked under no step, whatever it was asked; what waits is made anew."""
        return await write_off_unrecognized(self._session, unrecognized, "give up")

    # ---------------------------------------------------------------------------------------------------------- give up

    async def write_off(self, number: int) -> Decided:
        """Nothing more is done about it: its quote is booked as charged until the transaction list says otherwise."""
        submission = self._open(number)
        if submission.needs_decision:
            return await self._write_off_results(submission)
        await self._context.recorder.commit(e.Abandoned(self._context.recorder.now(), number))
        return Decided(number, "give up", f"{in_words(submission.quote)} stay booked as charged", None, True)

    async def _write_off_results(self, submission: SubmissionState) -> Decided:
        """Paid, and nobody can tell whose they are: their calls count as failed, and a resume makes them anew."""
        recorder, now = self._context.recorder, self._context.recorder.now()
        facts: list[e.Event] = []
        for position, call in enumerate(submission.calls):
            if call.status == "unknown" or (call.status == "waiting" and submission.out_of_order):
                why = "its result may be another's" if call.status == "waiting" else "the task has no such call"
                address, said = call.call.instance, f"given up by a person's decision: {why}"
                facts.append(e.CallFailed(now, submission.number, position, call.call_id or "", said))
                facts.append(
                    e.InstanceFailed(now, address, "ZF641", said, "`zenflow resume RUN` makes it anew.", paid=True)
                )
        await recorder.commit(*facts)
        count = len(facts) // 2
        paid = "they stay paid" if submission.contradiction else "what was charged stays booked"
        return Decided(submission.number, "give up", f"{count} of its results are not taken; {paid}", None, True)

    # ---------------------------------------------------------------------------------------------------------- resubmit

    async def resubmit(self, number: int, agree: AgreeToPrice, most: Decimal | None = None) -> Decided:
        """Look once more, say the price, then attempt k+1 of the same intent: row 1 of docs/money.md again. `most`: what it may
        cost where that is more than was set aside for it."""
        submission = self._open(number)
        if submission.needs_decision:
            hint = f"`--write-off {number}`, then `zenflow resume RUN` makes its calls anew."
            raise UsageError("ZF652", f"#{number} was accepted and charged: it cannot be sent again.", hint)
        lookup_result = await self._session.lookup.look_up()
        if await self._session.lookup.resolve(submission, lookup_result):
            said = f"the look before it found task {submission.task_id}: adopted, nothing was sent"
            return Decided(number, "resubmit", said, submission.task_id, True)
        if not lookup_result.complete:
            raise Stopped(
                "ZF649",
                f"The look before sending #{number} again is not complete: {lookup_result.detail}. Nothing was sent.",
                "Try again later, or adopt a task that you know to be it.",
            )
        prices = await self._prices(submission, most)
        agree(submission, sum(prices, ZERO))
        await self._session.transactions.begin()
        await self._context.identity.check()
        attempt = submission.attempts + 1
        recorder, since_s = self._context.recorder, self._context.clock.monotonic_s()
        quotes = tuple(prices) if sum(prices, ZERO) > submission.quote else ()
        watermark, balance = self._session.transactions.position
        await recorder.commit(e.Attempted(recorder.now(), number, attempt, watermark, quotes, balance))
        return await self._sent(submission, attempt, since_s)

    async def _sent(self, submission: SubmissionState, attempt: int, since_s: float) -> Decided:
        answer = await post(self._context, submission, since_s)
        if answer is None:
            raise self._context.recorder.failed or Stopped("ZF811", "Another process has taken this run over.")
        await self._context.recorder.commit(fact_of(self._context, submission, attempt, answer))
        number = submission.number
        if submission.outcome is Outcome.ACCEPTED:
            return Decided(number, "resubmit", f"accepted as task {submission.task_id}", submission.task_id, True)
        if submission.outcome is Outcome.REFUSED:
            return Decided(number, "resubmit", f"refused: {submission.detail}; its quote is free again", None, True)
        return Decided(number, "resubmit", f"{submission.outcome.value}: {submission.detail}", None, False)

    async def _prices(self, submission: SubmissionState, most: Decimal | None) -> list[Decimal]:
        """What each call costs, by a fresh quote and by what the service takes at such quotes. More than was set aside is
        sent only where a person has said so, and where there is room for it (promise 3)."""
        number, cost = submission.number, self._context.ledger.cost
        quotes = [await price_now(self._context, submission.tool, call.call.params) for call in submission.calls]
        prices = [cost(submission.tool, quote) for quote in quotes if quote is not None]
        total = sum(prices, ZERO)
        if len(prices) < len(quotes):
            raise Stopped("ZF631", f"No price can be had for #{number}. Nothing was sent.")
        overdrawn = self._context.ledger.overdrawn()
        if overdrawn is not None:
            raise Stopped(overdrawn.code, f"Nothing was sent: {overdrawn.message}.", overdrawn.hint)
        if total <= submission.quote:
            return prices
        if most is None or total > most:
            raise Refused(
                "ZF633",
                f"#{number} now costs {in_words(total)}, and {as_text(submission.quote)} are set aside for it. "
                "Nothing was sent.",
                f"`zenflow reconcile RUN --resubmit {number}={as_text(total)}` takes the new price; `--adopt {number}=TASK` "
                f"names a task that is it; `--write-off {number}` books it as charged.",
            )
        self._check_room(submission, total - submission.quote)
        return prices

    def _check_room(self, submission: SubmissionState, more: Decimal) -> None:
        """For what is to be set aside beyond what is: in the budget, and below the cap of the day of its intent."""
        context, room = self._context, self._context.ledger.room
        if more > room:
            raise Stopped(
                "ZF620",
                f"The budget leaves {in_words(max(room, ZERO))}, and #{submission.number} needs {as_text(more)} more. "
                "Nothing was sent.",
                "Raise it: `zenflow resume RUN --budget N`.",
            )
        cap, day = context.parts.per_day, submission.intended_at[:10]
        if cap is not None and context.parts.journal.committed_on(context.account_id, day) + more > cap:
            raise Stopped("ZF690", f"The cap of {in_words(cap)} a day leaves no room for it. Nothing was sent.")

    # ---------------------------------------------------------------------------------------------------------- the rest

    def _open(self, number: int) -> SubmissionState:
        submission = self._session.state.submissions.get(number)
        if submission is None:
            known = self._session.state.submissions.values()
            open_ones = [f"#{s.number}" for s in known if s.needs_lookup or s.needs_decision]
            there = f"Still unknown: {', '.join(open_ones)}." if open_ones else "None is unknown."
            raise UsageError("ZF652", f"This run has no submission #{number}. {there}")
        if not submission.needs_lookup and not submission.needs_decision:
            raise UsageError("ZF652", f"Submission #{number} is {submission.outcome.value}: nothing is to be decided.")
        return submission

    async def _task(self, task_id: str) -> Task:
        service = self._context.service
        try:
            return await service.ask(Kind.LOOK, lambda: service.provider.get_task(task_id))
        except ServiceError as error:
            if error.trouble in ("not_found", "forbidden", "invalid"):
                why = "belongs to another account" if error.trouble == "forbidden" else "is not known to the service"
                raise UsageError("ZF055", f"Task {task_id} {why}.", "`zenflow tasks` lists them.") from error
            raise


def _missing(submission: SubmissionState, task: Task) -> str:
    """What of the evidence the service does not give."""
    facts = {
        "its inputs, which the service does not tell": not task.inputs,
        "the number of its calls, which the service does not tell": task.total is None,
        "its owner, which the service does not tell": task.owner_id is None,
        "the stamp, which its comment lacks": not task.comment.startswith(submission.stamp),
    }
    return "; ".join(said for said, paused in facts.items() if paused)
