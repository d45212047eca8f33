"""Decide what became of submissions that zenflow may not decide by itself: show the evidence, take a person's word.

Nothing is decided silently: what a look finds beyond doubt is adopted and told, everything else waits for a decision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from zenflow.app.config.settings import Settings
from zenflow.app.recovery.session import OpenSession, open_session
from zenflow.engine.maintenance.evidence import DecisionCase, Evidence, UnrecognizedTaskCase, gather
from zenflow.engine.maintenance.reconciler import Reconciler
from zenflow.engine.maintenance.unrecognized_decisions import Act, Decided
from zenflow.engine.model.report import RunReport
from zenflow.engine.reporting.replay import look_at
from zenflow.errors import UsageError, ZenflowError
from zenflow.history.state import SubmissionState
from zenflow.journal.base import Journal, NoSuchRun, RunRow


@dataclass(frozen=True, slots=True)
class Decision:
    act: Act
    task_id: str | None = None
    most: Decimal | None = None  # of a resubmission: what it may cost, where that is more than is set aside for it
    named: tuple[str, ...] = ()  # of a task that does not tell its inputs: the calls that it was made for, in its order


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileRequest:
    run: str | None = None
    adopt: Mapping[int, str] = field(default_factory=dict)
    named: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # of these: the calls that the task was made for
    resubmit: Mapping[int, Decimal | None] = field(default_factory=dict)  # at most so much; None: what is set aside
    write_off: tuple[int, ...] = ()
    take_over: bool = False

    def decisions(self) -> dict[int, Decision]:
        """By submission. Raises UsageError for two decisions about one."""
        found: dict[int, Decision] = {}
        given = [
            *(
                (number, Decision("adopt", task_id, named=self.named.get(number, ())))
                for number, task_id in self.adopt.items()
            ),
            *((number, Decision("resubmit", most=most)) for number, most in self.resubmit.items()),
            *((number, Decision("give up")) for number in self.write_off),
        ]
        for number, decision in given:
            if number in found:
                raise UsageError("ZF653", f"Two decisions about #{number}: {found[number].act}, {decision.act}.")
            found[number] = decision
        return found


@dataclass(frozen=True, slots=True)
class ReconcileView:
    """`open_numbers`: what still waits for a decision. `failures`: decisions that could not be carried out."""

    server: str
    run_id: str
    evidence: Evidence
    decided: tuple[Decided, ...]
    failures: tuple[tuple[int, ZenflowError], ...]
    open_numbers: tuple[int, ...]
    report: RunReport


@dataclass(frozen=True, slots=True)
class ReconcilePrompts:
    """The person's side: sees the evidence, decides case by case (None: not now), agrees to a price."""

    show: Callable[[str, str, Evidence], None]  # server, run, what is known
    decide: Callable[[DecisionCase], Decision | None]
    decide_unrecognized: Callable[[UnrecognizedTaskCase], Decision | None]
    agree: Callable[[str, SubmissionState, Decimal], None]
    confirm: Callable[[str], None]  # that a person's word is taken for what the service does not tell


async def reconcile(request: ReconcileRequest, settings: Settings, prompts: ReconcilePrompts) -> ReconcileView:
    """Gather, show, decide. Raises NoSuchRun, RunBusy, Refused, ServiceError."""
    given = request.decisions()
    async with open_session(request.run, settings, take_over=request.take_over, choose=unclear) as opened:
        evidence = await gather(opened.session)
        _check_numbers(given, opened, evidence)
        prompts.show(opened.started.server, opened.row.run_id, evidence)
        decided, failures = await _carry_out(given, opened, evidence, prompts)
        await opened.session.context.recorder.flush()
        report = opened.report_now()
    done = {one.number for one in decided if one.settled}
    left = [
        n
        for n in (*(c.number for c in evidence.cases), *(s.number for s in evidence.unrecognized_cases))
        if n not in done
    ]
    return ReconcileView(
        opened.started.server, opened.row.run_id, evidence, tuple(decided), tuple(failures), tuple(left), report
    )


def unclear(journal: Journal, word: str | None) -> RunRow:
    """The run that is named, else the newest that holds something unknown, else the last."""
    if word is not None:
        return journal.find_run(word)
    for row in journal.runs():
        state = look_at(journal.events(row.run_id)).state
        if not row.holder_alive and any(s.needs_lookup or s.needs_decision for s in state.submissions.values()):
            return row
    rows = journal.runs()
    if not rows:
        raise NoSuchRun("ZF041", "There is no run here yet.", "`zenflow run RECIPE` begins one.")
    return rows[0]


async def _carry_out(
    given: Mapping[int, Decision], opened: OpenSession, evidence: Evidence, prompts: ReconcilePrompts
) -> tuple[list[Decided], list[tuple[int, ZenflowError]]]:
    decided: list[Decided] = []
    failures: list[tuple[int, ZenflowError]] = []
    cases: Sequence[DecisionCase | UnrecognizedTaskCase] = (*evidence.cases, *evidence.unrecognized_cases)
    for case in cases:
        decision = given.get(case.number) if given else _asked(case, prompts)
        if decision is None:
            continue
        try:
            decided.append(await _done(case, decision, opened, prompts))
        except ZenflowError as error:
            if opened.session.context.recorder.failed is not None:
                raise
            failures.append((case.number, error))
    return decided, failures


def _asked(case: DecisionCase | UnrecognizedTaskCase, prompts: ReconcilePrompts) -> Decision | None:
    return prompts.decide(case) if isinstance(case, DecisionCase) else prompts.decide_unrecognized(case)


async def _done(
    case: DecisionCase | UnrecognizedTaskCase, decision: Decision, opened: OpenSession, prompts: ReconcilePrompts
) -> Decided:
    reconciler = Reconciler(opened.session)
    if isinstance(case, UnrecognizedTaskCase):
        return await _carry_out_unrecognized(case, decision, reconciler, prompts)
    if decision.named:
        raise UsageError("ZF653", f"#{case.number} is of calls that are known: they need no naming.")
    if decision.act == "adopt":
        return await reconciler.adopt(case.number, decision.task_id or "", prompts.confirm)
    if decision.act == "give up":
        return await reconciler.write_off(case.number)
    server = opened.started.server
    return await reconciler.resubmit(
        case.number, lambda submission, price: prompts.agree(server, submission, price), decision.most
    )


async def _carry_out_unrecognized(
    unrecognized: UnrecognizedTaskCase, decision: Decision, reconciler: Reconciler, prompts: ReconcilePrompts
) -> Decided:
    number, task_id = unrecognized.number, unrecognized.task.task_id
    if decision.act == "give up":
        return await reconciler.write_off_unrecognized(unrecognized)
    if decision.act == "resubmit" or decision.task_id not in (None, task_id):
        said = f"#{number} is task {task_id}, which nobody here has asked for: it can be adopted or given up, nothing else."
        raise UsageError(
            "ZF653", said, f"`zenflow reconcile RUN --adopt {number}={task_id}`, or `--write-off {number}`."
        )
    return await reconciler.assign_unrecognized(unrecognized, decision.named, prompts.confirm)


def _check_numbers(given: Mapping[int, Decision], opened: OpenSession, evidence: Evidence) -> None:
    """A decision about something that is not open is a mistake: told before anything is done."""
    open_ones = {
        *(case.number for case in evidence.cases),
        *(unrecognized.number for unrecognized in evidence.unrecognized_cases),
    }
    adopted = dict(evidence.adopted)
    for number in given:
        if number in open_ones:
            continue
        if number in adopted:
            raise UsageError("ZF652", f"#{number} needs no decision any more: a look has found task {adopted[number]}.")
        submission = opened.session.state.submissions.get(number)
        there = ", ".join(f"#{n}" for n in sorted(open_ones)) or "none"
        stands = "is not of this run" if submission is None else f"is {submission.outcome.value}"
        raise UsageError("ZF652", f"#{number} {stands}; to be decided: {there}.", "`zenflow ledger RUN` lists them.")
