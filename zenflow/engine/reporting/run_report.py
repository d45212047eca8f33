"""How a run stands, told from its instances and its facts. Pure: the same for a run that ends and for one that is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from zenflow.credits import ZERO, as_text, in_words
from zenflow.engine.files.run_outputs import final_outputs
from zenflow.engine.model.instances import Frame, Instance, Status, StepRun, StopReason
from zenflow.engine.model.report import InstanceReport, InstanceWord, OpenCall, RunReport, RunStatus, StepReport
from zenflow.engine.tracking.result_order import HINT, OUT_OF_ORDER
from zenflow.history.allocation import allocate
from zenflow.history.events import FileSaved
from zenflow.history.fold import ORPHANED
from zenflow.history.state import InstanceStatus, Outcome, RunState, SubmissionState

CALL_FAILED = "ZF720"
UNSAVED = "ZF639"
MADE_NOTHING = "ZF657"
CONTINUES_HINT = "Give the steps that follow a value for that case: `… | default(…)`."
NOT_SENT = "not sent, set aside for the resume that sends it"
UNKNOWN_HINT = "`zenflow reconcile RUN` shows what is known and takes your decision; `zenflow resume RUN` looks again."

_WORSE: Sequence[InstanceWord] = (
    "failed",
    "not retrievable",
    "unknown",
    "late",
    "stopped",
    "blocked",
    "running",
    "waiting",
    "done",
    "skipped",
)

_EXIT: dict[RunStatus, int] = {"done": 0, "failed": 1, "stopped": 4, "interrupted": 130, "running": 4}


def report(
    frames: Sequence[Frame],
    state: RunState,
    *,
    stop_reasons: Sequence[StopReason] = (),
    interrupted: bool = False,
    status: RunStatus | None = None,
    rest_credits: Decimal | None = None,
) -> RunReport:
    """Everything there is to tell. `status` None: judged from the instances (4 before 1 before 0)."""
    steps = _steps(frames, state)
    overflow = [step for frame in frames for step in frame.steps.values() if step.overflow]
    undecided = list(_undecided(frames, state))
    judged = status or _judge(steps, frames, [*stop_reasons, *undecided], overflow, interrupted)
    started = state.started
    return RunReport(
        run_id=started.run_id if started is not None else "",
        status=judged,
        reason=state.reason if status is not None else _reason(judged, [*stop_reasons, *undecided], steps),
        exit_status=_EXIT[judged],
        state=state,
        steps=steps,
        outputs=final_outputs(frames[0], state) if frames else {},
        files=_files(state),
        open_calls=tuple(_open_calls(state)),
        balance_before=started.balance_before if started is not None else None,
        balance_after=state.balance_after,
        reasons=tuple(dict.fromkeys(_reasons(frames, [*stop_reasons, *undecided], overflow, state))),
        rest_credits=rest_credits,
        orphans=tuple(_orphans(state)),
    )


def _undecided(frames: Sequence[Frame], state: RunState) -> Iterable[StopReason]:
    """Submissions of which nobody knows what became, and that no instance speaks of: another submission, of another copy of
    the journal perhaps, has made what they were for. They may be charged, and a person must say (the table of
    docs/money.md)."""
    unclear = [one for one in state.submissions.values() if one.needs_lookup or one.is_short]
    steps = [step for frame in frames for step in frame.steps.values()] if unclear else []
    open_ones = {one.address for step in steps for one in step.instances.values() if not one.is_over}
    for submission in unclear:
        calls = [call for call in submission.calls if submission.needs_lookup or call.status == "unknown"]
        if not any(call.call.instance in open_ones for call in calls):
            names = ", ".join(dict.fromkeys(call.call.instance for call in calls))
            credits = in_words(sum((call.call.quote for call in calls), ZERO))
            said = submission.shortfall or f"is {submission.outcome.value}: {submission.detail}"
            yield StopReason(
                "ZF642", f"#{submission.number} ({submission.tool} for {names}, {credits}) {said}", UNKNOWN_HINT
            )


def _orphans(state: RunState) -> Iterable[InstanceReport]:
    """What was paid for a recipe that the run had before."""
    for address, told in state.instances.items():
        if not address.startswith(ORPHANED):
            continue
        credits, failed = ZERO, True
        for number, position in told.submissions:
            credits += cost_of(state.submissions[number], position)
            failed = failed and state.submissions[number].calls[position].status == "failed"
        if credits and not failed:  # what failed has no result that could be left lying
            listed = (told.results or {}).get("asset_ids")
            asset_ids = tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()
            yield InstanceReport(address.split("/", 1)[1], 0, _TOLD[told.status], credits, asset_ids=asset_ids)


_TOLD: dict[InstanceStatus, InstanceWord] = {
    InstanceStatus.RUNNING: "running",
    InstanceStatus.LATE: "late",
    InstanceStatus.DONE: "done",
    InstanceStatus.FAILED: "failed",
    InstanceStatus.SKIPPED: "skipped",
    InstanceStatus.LOST: "not retrievable",
}


def _steps(frames: Sequence[Frame], state: RunState) -> dict[str, StepReport]:
    found: dict[str, list[InstanceReport]] = {}
    uses: dict[str, str] = {}
    blocked: set[str] = set()
    for step in (step for frame in frames for step in frame.steps.values()):
        uses[step.plan_path] = step.spec.uses
        found.setdefault(step.plan_path, []).extend(_instance(one, state) for one in step.ordered())
        if step.blocked:
            blocked.add(step.plan_path)
    return {
        path: StepReport(
            path,
            uses[path],
            _worst(reports, path in blocked),
            tuple(reports),
            sum((one.credits for one in reports), ZERO),
        )
        for path, reports in found.items()
    }


def _worst(reports: Sequence[InstanceReport], blocked: bool) -> InstanceWord:
    words = {report.status for report in reports} | ({"blocked"} if blocked else set())
    return next((word for word in _WORSE if word in words), "done")


def _instance(instance: Instance, state: RunState) -> InstanceReport:
    journaled = state.instances.get(instance.address)
    credits, task_id, call_id = ZERO, None, None
    for number, position in journaled.submissions if journaled is not None else ():
        submission = state.submissions[number]
        credits += cost_of(submission, position)
        task_id, call_id = submission.task_id, submission.calls[position].call_id
    results = instance.results or {}
    asset_ids = results.get("asset_ids")
    if not isinstance(asset_ids, list):
        one = results.get("asset_id")
        asset_ids = [one] if isinstance(one, str) else []
    return InstanceReport(
        instance.address,
        instance.index,
        instance.status.value,
        credits,
        task_id,
        call_id,
        tuple(one for one in asset_ids if isinstance(one, str)),
        instance.code,
        instance.message,
        _hint_of(instance, credits, state),
        instance.choice if instance.status is Status.STOPPED else None,
    )


def _hint_of(instance: Instance, credits: Decimal, state: RunState) -> str:
    """A failed call counts as charged until its refund is seen; then that is no longer so."""
    told = state.instances.get(instance.address)
    if instance.code != CALL_FAILED or told is None:
        return instance.hint
    if not any(state.submissions[number].refunded for number, _ in told.submissions):
        return instance.hint
    return f"A refund was seen: {in_words(credits) if credits else 'nothing'} stays charged for it."


def at_risk(state: RunState) -> tuple[SubmissionState, ...]:
    """Accepted submissions that are not over: what a journal that failed may not know."""
    return tuple(s for s in state.submissions.values() if s.task_id is not None and not s.is_settled)


def cost_of(submission: SubmissionState, position: int) -> Decimal:
    """Return a call's part of what its submission has cost."""
    return allocate(submission)[position].cost


def _files(state: RunState) -> tuple[FileSaved, ...]:
    return tuple(file for places in state.files.values() for _, file in sorted(places.items()))


def _open_calls(state: RunState) -> Iterable[OpenCall]:
    for submission in state.submissions.values():
        for call in submission.calls:
            why = _why_open(submission, call.status, state, call.call.instance)
            if why is not None:
                yield OpenCall(call.call.instance, submission.tool, submission.task_id, call.call.quote, why)


def _why_open(submission: SubmissionState, status: str, state: RunState, address: str) -> str | None:
    if submission.needs_lookup or submission.outcome is Outcome.OPEN:
        return "outcome unknown" if submission.outcome is not Outcome.NOT_SENT else NOT_SENT
    if submission.outcome is not Outcome.ACCEPTED:
        return None
    if status == "lost":
        return "paid, not retrievable"
    if status == "unknown":
        return "outcome unknown"
    if status != "waiting":
        return None
    if submission.out_of_order:
        return "its result may be another's"
    instance = state.instances.get(address)
    return "late" if instance is not None and instance.status.value == "late" else "still running"


def _judge(
    steps: dict[str, StepReport],
    frames: Sequence[Frame],
    stop_reasons: Sequence[StopReason],
    overflow: Sequence[StepRun],
    interrupted: bool,
) -> RunStatus:
    words = {one.status for step in steps.values() for one in step.instances}
    unfinished = any(not frame.is_settled for frame in frames)
    if interrupted and unfinished:
        return "interrupted"
    if unfinished or stop_reasons or overflow:
        return "stopped"
    failed = {"failed", "blocked"} & words or any(step.blocked for frame in frames for step in frame.steps.values())
    if not failed:
        return "done"
    return "failed" if _really_failed(frames) or made_nothing(frames) else "done"


def made_nothing(frames: Sequence[Frame]) -> bool:
    """Whether a failure under `on_error: continue` has left every download of the run without a file."""
    downloads = [one for one in _instances(frames) if one.step.spec.uses == "download"]
    return bool(downloads) and not any(one.status is Status.DONE and one.answers.get("files") for one in downloads)


def _instances(frames: Sequence[Frame]) -> Iterable[Instance]:
    for frame in frames:
        for step in frame.steps.values():
            yield from step.instances.values()


def _unsaved(frames: Sequence[Frame], state: RunState) -> list[str]:
    """The paid instances whose assets are in no file, in no other request, and in no choice of a `pick`."""
    used = {asset for places in state.files.values() for file in places.values() for asset in (file.asset_id,)}
    for submission in state.submissions.values():
        for call in submission.calls:
            used.update(one for one in _texts(call.call.params))
    used.update(_texts(final_outputs(frames[0], state)) if frames else ())
    asked = [str(one.with_) for frame in frames for one in frame.recipe.steps.values() if one.uses == "pick"]
    found = []
    for instance in _instances(frames):
        made = (instance.results or {}).get("asset_ids")
        is_paid = instance.step.spec.kind == "tool" and instance.status is Status.DONE
        if not is_paid or not isinstance(made, list) or not made or used.intersection(map(str, made)):
            continue
        if not any(f"steps.{instance.step.spec.id}" in words for words in asked):
            found.append(instance.address)
    return found


def _texts(tree: Any) -> Iterable[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping | list | tuple):
        for item in tree.values() if isinstance(tree, Mapping) else tree:
            yield from _texts(item)


def _really_failed(frames: Sequence[Frame]) -> bool:
    """A failure under `on_error: continue` is recorded as failed, and is none of the run's."""
    for frame in frames:
        for step in frame.steps.values():
            if step.blocked or any(instance.fails_readers for instance in step.instances.values()):
                return True
    return False


def _reason(status: RunStatus, stop_reasons: Sequence[StopReason], steps: dict[str, StepReport]) -> str:
    if status == "done":
        return ""
    if stop_reasons:
        return stop_reasons[0].message
    for word in _WORSE[:6]:
        for step in steps.values():
            for one in step.instances:
                if one.status == word and one.message:
                    return f"{one.address}: {one.message}"
    return ""


def _reasons(
    frames: Sequence[Frame], stop_reasons: Sequence[StopReason], overflow: Sequence[StepRun], state: RunState
) -> Iterable[tuple[str, str, str]]:
    for reason in stop_reasons:
        yield (reason.code, reason.message, reason.hint)
    for step in overflow:
        many = f"{step.overflow} elements" if step.overflow > 1 else "1 element"
        text = f"`{step.path}`: {many} more than its `max` allows, not started"
        yield ("ZF623", text, _more_of(step, frames, state))
    for frame in frames:
        for step in frame.steps.values():
            if step.blocked and step.problem:
                yield ("ZF336", f"`{step.path}` has no instances: {step.problem}", "")
            for instance in step.instances.values():
                yield from _instance_reasons(instance, state)
    unsaved = _unsaved(frames, state) if all(frame.is_settled for frame in frames) else []
    if unsaved:
        shown = ", ".join(unsaved[:5]) + (f" and {len(unsaved) - 5} more" if len(unsaved) > 5 else "")
        yield (UNSAVED, f"paid results in no file: {shown}", "`zenflow fetch RUN` saves them.")
    if made_nothing(frames) and any(one.status is Status.FAILED for one in _instances(frames)):
        yield (MADE_NOTHING, "no file was saved: what failed left the downloads nothing to save", CONTINUES_HINT)
    for submission in state.submissions.values():
        if submission.out_of_order:
            yield (OUT_OF_ORDER, f"results that are not in the order of their inputs: {submission.contradiction}", HINT)
    for note in state.notes:
        yield (note.code, note.message, "")


def _more_of(step: StepRun, frames: Sequence[Frame], state: RunState) -> str:
    """What goes on with all elements: with a budget that has room for them, by what those here have cost at most."""
    words = f"--max {step.path}={len(step.instances) + step.overflow}"
    cost: dict[Instance, Decimal] = {}
    for other in (other for frame in frames for other in frame.steps.values()):
        for instance in other.instances.values():
            origin = _element_of(instance, step)
            if origin is not None:
                cost[origin] = cost.get(origin, ZERO) + _instance(instance, state).credits
    wanted = state.totals.committed + step.overflow * max(cost.values(), default=ZERO)
    if wanted > state.budget:
        words += f" --budget {as_text(wanted.to_integral_value(ROUND_CEILING))}"
    return f"`zenflow resume RUN {words}` goes on."


def _element_of(instance: Instance, step: StepRun) -> Instance | None:
    """The element of a step that an instance belongs to: itself, or what it comes from."""
    at: Instance | None = instance
    while at is not None and at.step is not step:
        at = at.source or at.step.frame.outer
    return at


def _instance_reasons(instance: Instance, state: RunState) -> Iterable[tuple[str, str, str]]:
    if instance.status in (Status.FAILED, Status.STOPPED):
        hint = _instance(instance, state).hint
        yield (instance.code, f"{instance.address}: {instance.message}", hint)
    elif instance.status is Status.UNKNOWN:
        hint = instance.hint or UNKNOWN_HINT
        yield (instance.code or "ZF642", f"{instance.address}: {instance.message}", hint)
    elif instance.status is Status.LATE:
        yield ("ZF643", f"{instance.address}: {instance.message}", "`zenflow resume RUN` picks it up when it is done.")
    elif instance.status is Status.LOST:
        text = f"{instance.address}: paid, and its result cannot be found"
        yield ("ZF644", text, "Its ids and raw output are in manifest.json.")
