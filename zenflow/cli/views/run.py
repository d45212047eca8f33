"""The end of a run, and `zenflow show`: what is done, what failed and why, what it cost, what is on disk, what is next.

Draws a report; knows nothing of how it came to be.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from zenflow.cli.terminal.headings import relative_path, titled, where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.terminal.units import plural, size, span
from zenflow.cli.views.choices import draw_choice
from zenflow.clock import from_iso
from zenflow.credits import ZERO, as_text, in_words
from zenflow.engine.model.report import InstanceReport, RunReport, StepReport
from zenflow.recipe.origins import origin_lines, origins_of
from zenflow.report.next_steps import for_this_run
from zenflow.report.run_document import rest_expected

FAILURES_SHOWN = 20
REASONS_SHOWN = 5
OPEN_SHOWN = 20

_COLUMNS = (
    Column("step", shrinks=True, least=10),
    Column("tool", shrinks=True, least=8),
    Column("done", right=True),
    Column("not done", shrinks=True, least=10),
    Column("credits", right=True),
)
_NOT_DONE = ("failed", "unknown", "not retrievable", "late", "stopped", "blocked", "running", "waiting", "skipped")


def draw_run(report: RunReport, style: Style, width: int, more: str = "") -> str:
    """The whole report."""
    lines = [*_head(report, style), ""]
    if report.steps:
        lines += [*table(_COLUMNS, [_row(step) for step in report.steps.values()], width, style), ""]
    lines += _failures(report, style, width)
    lines += _reasons(report, style, width)
    lines += _choices(report, style)
    lines += _open(report, style, width)
    lines += [*_saved(report), *_orphaned(report, width), _spent(report)]
    lines += [more, *([""] if next_command(report) else [])] if more else []
    lines += _next(report, style)
    return "\n".join(lines)


def next_command(report: RunReport) -> str | None:
    """What goes on with it, and for how much; None when nothing is left to do."""
    if report.status == "done":
        return None
    rest = rest_expected(report)
    price = "" if rest is None else " · the rest is free" if rest == ZERO else f" · about {in_words(rest)}"
    return f"zenflow resume {report.run_id}{price}"


def _head(report: RunReport, style: Style) -> list[str]:
    started = report.state.started
    mark = {"done": style.good, "running": style.link}.get(report.status, style.bad)
    if started is None:
        return [f"run {report.run_id} · {mark(report.status)}"]
    lasted = _lasted(started.at, report.state.ended_at)
    took = f" in {span(lasted)}" if lasted is not None and report.state.resumes == 0 else ""
    recipe = titled(started.recipe_name, started.recipe_version)
    title = f"{recipe} · run {report.run_id} · {mark(report.status)}{took}"
    return [style.strong(where_line(started.server)), title, *origin_lines(origins_of(started.recipe_origins))]


def _row(step: StepReport) -> list[str]:
    words: Counter[str] = Counter(instance.status for instance in step.instances)
    done = words.get("done", 0)
    others = ", ".join(f"{words[word]} {word}" for word in _NOT_DONE if words.get(word))
    credits = as_text(step.credits) if step.credits or _is_paid(step) else "–"
    return [step.path, step.uses, f"{done}/{len(step.instances)}", others, credits]


def _is_paid(step: StepReport) -> bool:
    return any(instance.task_id for instance in step.instances)


def _failures(report: RunReport, style: Style, width: int) -> list[str]:
    failed = [i for step in report.steps.values() for i in step.instances if i.status == "failed"]
    if not failed:
        return []
    lines = [style.bad(plural(len(failed), "failure"))]
    for instance in failed[:FAILURES_SHOWN]:
        lines += failure_lines(instance, report.run_id, width)
    if len(failed) > FAILURES_SHOWN:
        lines.append(f"  … and {len(failed) - FAILURES_SHOWN} more: zenflow show {report.run_id} --json")
    return [*lines, ""]


def failure_lines(instance: InstanceReport, run_id: str, width: int) -> list[str]:
    """One failure: where, why, its code; on a line of its own what can be done."""
    code = f" [{instance.code}]" if instance.code else ""
    lines = wrap(f"{instance.message or 'failed'}{code}", width, "    ", f"  {instance.address}: ")
    hint = for_this_run(instance.hint, run_id)
    return lines + (wrap(hint, width, "      ", "    → ") if hint else [])


def _reasons(report: RunReport, style: Style, width: int) -> list[str]:
    """What stopped it, or is worth knowing; failures have said theirs already, and equal reasons share their hint."""
    told = {
        f"{i.address}: {i.message}" for step in report.steps.values() for i in step.instances if i.status == "failed"
    }
    by_kind: dict[tuple[str, str], list[str]] = {}
    for code, said, hint in report.reasons:
        if said not in told:
            by_kind.setdefault((code, hint), []).append(said)
    if not by_kind and report.reason and report.status in ("stopped", "interrupted"):
        by_kind[("", "")] = [report.reason]
    if not by_kind:
        return []
    title = {"interrupted": "Interrupted", "stopped": "Stopped"}.get(report.status)
    lines = [style.warn(title) if title else style.strong("To know")]
    for (code, hint), sentences in by_kind.items():
        for said in sentences[:REASONS_SHOWN]:
            lines += wrap(said + (f" [{code}]" if code else ""), width, "    ", "  ")
        if len(sentences) > REASONS_SHOWN:
            lines.append(f"  … and {len(sentences) - REASONS_SHOWN} more of the same")
        lines += wrap(for_this_run(hint, report.run_id, _server(report)), width, "      ", "    → ") if hint else []
    return [*lines, ""]


def _choices(report: RunReport, style: Style) -> list[str]:
    """What is to be chosen from, with the files to look at."""
    drawn = [draw_choice(address, choice, style) for address, choice in report.choices.items()]
    return [*"\n".join(drawn).split("\n"), ""] if drawn else []


def _server(report: RunReport) -> str:
    return "" if report.state.started is None else report.state.started.server


def _open(report: RunReport, style: Style, width: int) -> list[str]:
    calls = report.open_calls
    if not calls:
        return []
    total = as_text(sum((call.credits for call in calls), start=type(calls[0].credits)(0)))
    lines = [style.warn(f"{plural(len(calls), 'call')} not settled, {total} credits")]
    for call in calls[:OPEN_SHOWN]:
        task = f", task {call.task_id}" if call.task_id else ""
        said = f"{call.why} ({call.tool}, {in_words(call.credits)}{task})"
        lines += wrap(said, width, "    ", f"  {call.address}: ")
    if len(calls) > OPEN_SHOWN:
        lines.append(f"  … and {len(calls) - OPEN_SHOWN} more")
    return [*lines, ""]


def _orphaned(report: RunReport, width: int) -> list[str]:
    """Paid before the recipe was changed, and no longer asked for."""
    if not report.orphans:
        return []
    total = as_text(sum((one.credits for one in report.orphans), ZERO))
    shown = ", ".join(f"{one.address} ({as_text(one.credits)})" for one in report.orphans[:OPEN_SHOWN])
    said = f"Orphaned by the change of the recipe: {plural(len(report.orphans), 'paid result')} for {total} credits: "
    return wrap(said + shown, width, "  ")


def _saved(report: RunReport) -> list[str]:
    started = report.state.started
    if not report.files or started is None:
        return []
    total = size(sum(file.bytes for file in report.files))
    return [f"Saved {plural(len(report.files), 'file')} ({total}) in {relative_path(started.out_dir)}"]


def _spent(report: RunReport) -> str:
    totals, started = report.state.totals, report.state.started
    planned = ""
    if started is not None:
        expected, worst = as_text(started.planned_expected), as_text(started.planned_worst)
        planned = f", planned {expected}" + (f" (worst {worst})" if worst != expected else "")
    parts = [f"Spent {in_words(totals.spent)}{planned}, budget {as_text(report.state.budget)}"]
    if totals.refunded:
        parts.append(f"{as_text(totals.refunded)} refunded")
    if totals.unknown:
        parts.append(f"{as_text(totals.unknown)} unknown")
    if report.balance_after is not None:
        parts.append(f"balance {as_text(report.balance_after)}")
    return "; ".join(parts)


def _next(report: RunReport, style: Style) -> list[str]:
    command = next_command(report)
    hints = [hint for _, _, hint in report.reasons]
    if hints and rest_expected(report) == ZERO and all("zenflow resume RUN --" in hint for hint in hints):
        return []  # each has said what to resume with; without that nothing is left to do
    return [] if command is None or report.status == "running" else [f"{style.link('→')} {command}"]


def _lasted(start: str, end: str | None) -> float | None:
    try:
        begun: datetime = from_iso(start)
        return None if end is None else (from_iso(end) - begun).total_seconds()
    except ValueError:
        return None
