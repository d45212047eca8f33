"""Submissions that need a person: the evidence, what was decided, what is left. Draws; decides nothing."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

from zenflow.app.recovery.reconcile import ReconcileView
from zenflow.cli.terminal.headings import where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import cut, wrap
from zenflow.cli.terminal.units import plural
from zenflow.clock import as_iso
from zenflow.credits import as_number, as_text, in_words
from zenflow.engine.maintenance.evidence import Candidate, DecisionCase, Evidence, SeenRow, UnrecognizedTaskCase

LOOKS_SHOWN, ROWS_SHOWN, CALLS_SHOWN, CALLS_NAMED = 4, 8, 3, 12


def draw_evidence(server: str, run_id: str, evidence: Evidence, style: Style, width: int) -> str:
    """Everything that is known of what is still unknown."""
    lines = [style.strong(where_line(server)), f"run {run_id}"]
    for number, task_id in evidence.adopted:
        lines += wrap(f"#{number}: the look found task {task_id}, with our stamp and our inputs: adopted.", width)
    for case in evidence.cases:
        lines += ["", *draw_case(case, style, width)]
    for unrecognized in evidence.unrecognized_cases:
        lines += ["", *draw_unrecognized(unrecognized, style, width)]
    if not evidence.cases and not evidence.unrecognized_cases:
        lines += ["", style.good("Nothing is unknown: there is nothing to decide.")]
    return "\n".join(lines)


def draw_case(case: DecisionCase, style: Style, width: int) -> list[str]:
    one = case.submission
    steps = Counter(call.call.instance.rpartition("/")[2].split(".")[0] for call in one.calls)
    what = f"#{one.number} {one.tool} · {plural(len(one.calls), 'call')} · {in_words(one.quote)} set aside"
    lines = [style.warn(what), *_fact("for", ", ".join(f"{name} ×{n}" for name, n in steps.items()), width)]
    lines += _fact("stamp", one.stamp, width)
    for call in one.calls[:CALLS_SHOWN]:
        asked = f"{call.call.instance} {json.dumps(call.call.params, ensure_ascii=False)}"
        lines.append("  " + cut(f"asked      {asked}", width - 2))
    if len(one.calls) > CALLS_SHOWN:
        lines += _fact("", f"… and {len(one.calls) - CALLS_SHOWN} more calls", width)
    sent = f"{_second(one.intended_at)}, {plural(one.attempts, 'attempt')}; {one.outcome.value}: {one.detail or '–'}"
    lines += _fact("sent", sent, width)
    if one.needs_decision:
        lines += _fact("but", one.contradiction or one.shortfall, width)
        missing = [call.call.instance for call in one.calls if call.status == "unknown"]
        lines += _fact("unknown", ", ".join(missing), width) if missing else []
        return [*lines, *_fact("task", one.task_id or "–", width)]
    lines += _looks(case, width)
    lines += _rows(case.rows, width)
    lines += _candidates(case.candidates, width)
    if case.conclusive:
        lines += _fact("so", "not charged, as far as evidence can say: `zenflow resume` sends it again", width)
    return lines


def draw_unrecognized(unrecognized: UnrecognizedTaskCase, style: Style, width: int) -> list[str]:
    task = unrecognized.task
    debit = "no debit was seen" if unrecognized.debit is None else f"{in_words(unrecognized.debit)} were charged"
    lines = [style.warn(f"#{unrecognized.number} {task.tool} · task {task.task_id}")]
    said = f"carries this run's stamp, and the journal does not know it ({debit}; {task.status})"
    lines += wrap(said, width, "  ", "  ")
    if task.inputs:
        return lines
    calls = plural(unrecognized.size, "call") if unrecognized.size else "an unknown number of calls"
    lines += _fact("asked", f"the service does not tell; {calls}", width)
    names = [call.instance for call in unrecognized.waiting]
    waiting = ", ".join(names[:CALLS_NAMED]) + (f" and {len(names) - CALLS_NAMED} more" if names[CALLS_NAMED:] else "")
    return [*lines, *_fact("could be", waiting or f"no call of {task.tool} waits", width)]


def choices(case: DecisionCase | UnrecognizedTaskCase) -> str:
    """The question for a person at a terminal."""
    if isinstance(case, UnrecognizedTaskCase):
        if not case.waiting:
            return f"#{case.number}: [a]dopt it, [g]ive it up, or nothing now? "
        return f"#{case.number}: [a]dopt it for what waits, [a STEP.0,STEP.1] for these, [g]ive it up, or nothing now? "
    if case.submission.is_short and not case.submission.out_of_order:
        return f"#{case.number}: [g]ive up what is not there, so that a resume makes it anew, or nothing now? "
    if case.submission.needs_decision:
        return f"#{case.number}: [a]ccept its results as they are, [g]ive them up, or nothing now? "
    return f"#{case.number}: [a TASK] adopt, [r]esubmit, [r CREDITS] for up to so much, [g]ive up, or nothing now? "


def draw_outcome(view: ReconcileView, style: Style, width: int) -> str:
    """What was decided, and what is left."""
    lines: list[str] = []
    for one in view.decided:
        mark = style.good if one.settled else style.warn
        lines += wrap(f"#{one.number} {one.act}: {one.said}.", width, "    ", mark("· "))
    for number, error in view.failures:
        lines += wrap(f"#{number}: {error.message} [{error.code}]", width, "    ", style.bad("· "))
        lines += wrap(error.hint.replace("RUN", view.run_id), width, "      ", "    → ") if error.hint else []
    if view.open_numbers:
        left = ", ".join(f"#{number}" for number in view.open_numbers)
        lines += wrap(f"Still to be decided: {left}. Nothing that could repeat them is sent.", width)
        first = view.open_numbers[0]
        command = f"zenflow reconcile {view.run_id}"
        unrecognized = next((one for one in view.evidence.unrecognized_cases if one.number == first), None)
        if unrecognized is not None:
            lines.append(f"{style.link('→')} {command} --adopt {first}={unrecognized.task.task_id}")
            lines.append(f"  or --write-off {first}")
        else:
            doubted = next(
                (c.submission for c in view.evidence.cases if c.number == first and c.submission.needs_decision), None
            )
            if doubted is not None and not doubted.out_of_order:  # what is there of it is taken
                return "\n".join([*lines, f"{style.link('→')} {command} --write-off {first}"])
            task = "TASK" if doubted is None else doubted.task_id
            again = f"--resubmit {first}, or " if doubted is None else ""
            lines.append(f"{style.link('→')} {command} --adopt {first}={task}")
            lines.append(f"  or {again}--write-off {first}")
    elif view.decided or view.evidence.adopted:
        lines.append(f"{style.link('→')} zenflow resume {view.run_id}")
    return "\n".join(lines)


def reconcile_document(view: ReconcileView) -> dict[str, Any]:
    totals = view.report.state.totals
    return {
        "server": view.server,
        "run_id": view.run_id,
        "adopted": [{"submission": number, "task_id": task_id} for number, task_id in view.evidence.adopted],
        "unknown": [_case(case) for case in view.evidence.cases],
        "strays": [_unrecognized_case(unrecognized) for unrecognized in view.evidence.unrecognized_cases],
        "decided": [
            {"submission": d.number, "act": d.act, "said": d.said, "task_id": d.task_id, "settled": d.settled}
            for d in view.decided
        ],
        "failures": [
            {"submission": number, "code": error.code, "message": error.message, "hint": error.hint}
            for number, error in view.failures
        ],
        "open": list(view.open_numbers),
        "credits": {"charged": as_number(totals.charged), "unknown": as_number(totals.unknown)},
    }


# ------------------------------------------------------------------------------------------------------------- the parts


def _fact(name: str, said: str, width: int) -> list[str]:
    return wrap(said, width, " " * 13, f"  {name:<9}  ")


def _looks(case: DecisionCase, width: int) -> list[str]:
    looks = case.submission.lookups
    lines = []
    for place, look in enumerate(looks[-LOOKS_SHOWN:]):
        words = [
            "complete" if look.complete else "not complete",
            "after the wait" if look.after_wait else "before the wait was over",
            {True: "debits explained", False: "a debit is unexplained", None: "no transaction list"}[
                look.debits_explained
            ],
        ]
        said = f"{_second(look.at)} {', '.join(words)} ({look.detail})"
        lines += _fact(plural(len(looks), "look") if place == 0 else "", said, width)
    return lines


def _rows(rows: tuple[SeenRow, ...] | None, width: int) -> list[str]:
    if rows is None:
        return _fact("debits", "the transaction list cannot be read: no second witness", width)
    debits = [row for row in rows if row.amount is None or row.amount < 0]
    if not debits:
        return _fact("debits", "none since it was sent", width)
    debits.sort(key=lambda row: row.explained)
    lines = []
    for place, row in enumerate(debits[:ROWS_SHOWN]):
        said = f"{as_text(row.amount)} for {(row.task_id or 'no task')[:8]}, {row.whose}"
        lines += _fact("debits" if place == 0 else "", ("" if row.explained else "? ") + said, width)
    if len(debits) > ROWS_SHOWN:
        lines += _fact("", f"… and {len(debits) - ROWS_SHOWN} more: --json", width)
    return lines


def _candidates(candidates: tuple[Candidate, ...], width: int) -> list[str]:
    if not candidates:
        return _fact("could be", "no task of this tool and size from that time", width)
    lines = []
    for place, one in enumerate(candidates):
        inputs = {True: "the same inputs", False: "other inputs", None: "inputs not told"}[one.same_inputs]
        stamp = "our stamp, " if one.stamped else ""
        made = "–" if one.created_at is None else _moment(one.created_at)
        lines += _fact("could be" if place == 0 else "", f"{one.task_id} ({stamp}{inputs}, {made})", width)
    return lines


def _case(case: DecisionCase) -> dict[str, Any]:
    one = case.submission
    return {
        "submission": one.number,
        "tool": one.tool,
        "stamp": one.stamp,
        "quote": as_number(one.quote),
        "outcome": one.outcome.value,
        "detail": one.detail,
        "contradiction": one.contradiction,
        "shortfall": one.shortfall,
        "intended_at": one.intended_at,
        "closed_at": one.closed_at,
        "attempts": one.attempts,
        "watermark": one.watermark,
        "conclusive": case.conclusive,
        "calls": [{"instance": c.call.instance, "try": c.call.try_number, "params": c.call.params} for c in one.calls],
        "looks": [
            {
                "at": look.at,
                "complete": look.complete,
                "after_wait": look.after_wait,
                "debits_explained": look.debits_explained,
                "found": list(look.found),
                "detail": look.detail,
            }
            for look in one.lookups
        ],
        "transactions": None if case.rows is None else [_row(row) for row in case.rows],
        "candidates": [
            {
                "task_id": c.task_id,
                "tool": c.tool,
                "total": c.total,
                "created_at": None if c.created_at is None else as_iso(c.created_at),
                "comment": c.comment,
                "stamped": c.stamped,
                "same_inputs": c.same_inputs,
            }
            for c in case.candidates
        ],
    }


def _row(row: SeenRow) -> dict[str, Any]:
    return {
        "transaction_id": row.transaction_id,
        "amount": as_number(row.amount),
        "task_id": row.task_id,
        "at": None if row.at is None else as_iso(row.at),
        "whose": row.whose,
        "explained": row.explained,
    }


def _unrecognized_case(unrecognized: UnrecognizedTaskCase) -> dict[str, Any]:
    return {
        "submission": unrecognized.number,
        "task_id": unrecognized.task.task_id,
        "tool": unrecognized.task.tool,
        "status": unrecognized.task.status,
        "comment": unrecognized.task.comment,
        "debit": as_number(unrecognized.debit),
        "calls": unrecognized.size,
        "inputs": [dict(one) for one in unrecognized.task.inputs],
        "waiting": [{"instance": call.instance, "params": dict(call.params)} for call in unrecognized.waiting],
    }


def _second(at: str) -> str:
    return at[:19].replace("T", " ")


def _moment(at: datetime) -> str:
    return _second(as_iso(at))
