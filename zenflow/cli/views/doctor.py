"""What `zenflow doctor` found: section by section, each thing with its mark; what was measured; what was rebuilt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from zenflow.app.queries.doctor import Check, Checkup, Mark
from zenflow.app.queries.rebuild_journal import RebuildView
from zenflow.app.running.probe import ProbeView
from zenflow.cli.terminal.headings import relative_path, where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.terminal.units import plural
from zenflow.clock import as_iso
from zenflow.credits import as_number, as_text
from zenflow.engine.assumptions import ASSUMPTIONS, Assumption, by_name
from zenflow.report.next_steps import at_server

_SIGNS: dict[Mark, str] = {"ok": "✓", "look": "!", "wrong": "✗", "unknown": "?"}


def draw_checkup(checkup: Checkup, style: Style, width: int) -> str:
    lines = [style.strong(where_line(checkup.server))]
    for section in dict.fromkeys(check.section for check in checkup.checks):
        lines += ["", style.strong(section)]
        for check in checkup.checks:
            if check.section == section:
                lines += _check(check, checkup.server, style, width)
    wrong = [check for check in checkup.checks if check.mark == "wrong"]
    looks = [check for check in checkup.checks if check.mark == "look"]
    lines.append("")
    if wrong:
        lines.append(style.bad(f"{plural(len(wrong), 'thing')} wrong."))
    else:
        rest = f" {plural(len(looks), 'thing')} worth knowing." if looks else ""
        lines.append(style.good("Everything works.") + rest)
    return "\n".join(lines)


def _check(check: Check, server: str, style: Style, width: int) -> list[str]:
    colour = {"ok": style.good, "look": style.warn, "wrong": style.bad, "unknown": style.faint}[check.mark]
    first = f"  {colour(_SIGNS[check.mark])} {check.name:<12} "
    lines = wrap(check.said, width, " " * 17, first)
    hint = at_server(check.hint, server)
    return lines + (wrap(hint, width, " " * 19, " " * 17 + "→ ") if hint else [])


def checkup_document(checkup: Checkup) -> dict[str, Any]:
    return {
        "server": checkup.server,
        "checks": [
            {
                "section": check.section,
                "name": check.name,
                "mark": check.mark,
                "said": check.said,
                "hint": at_server(check.hint, checkup.server) or None,
            }
            for check in checkup.checks
        ],
    }


def draw_probe(view: ProbeView, style: Style, width: int) -> str:
    lines = [style.strong(where_line(view.server)), f"run {view.report.run_id}", ""]
    for one in view.findings:
        mark: Mark = "ok" if one.holds else "wrong" if one.holds is False else "unknown"
        known = by_name(one.assumption)
        colour = {"ok": style.good, "wrong": style.bad, "unknown": style.faint}[mark]
        lines += wrap(known.said, width, "       ", f"  {colour(_SIGNS[mark])} {one.assumption} ")
        lines += wrap(one.said, width, "       ", "       ")
        if one.holds is False:
            lines += wrap(f"So: {known.otherwise}.", width, "         ", "       → ")
    spent = as_text(view.report.state.totals.spent)
    return "\n".join([*lines, "", f"Spent {spent} credits. Kept in {relative_path(view.kept_in)}."])


def probe_document(view: ProbeView) -> dict[str, Any]:
    return {
        "server": view.server,
        "run_id": view.report.run_id,
        "spent": as_number(view.report.state.totals.spent),
        "findings": [
            {"assumption": one.assumption, "holds": one.holds, "said": one.said, "at": one.at} for one in view.findings
        ],
    }


def draw_assumptions(server: str, style: Style, width: int, ones: Iterable[Assumption] = ASSUMPTIONS) -> str:
    """Said once, before the first paid run on a live server that was never probed."""
    lines = [style.strong(f"What zenflow takes for granted of {server} (told once)")]
    for one in ones:
        star = "*" if one.measured else " "
        lines += wrap(f"{one.said}. Else: {one.otherwise}.", width, "      ", f"  {one.name}{star} ")
    lines += wrap("* `zenflow doctor --probe` measures these on the server, for up to 2 credits.", width, "  ", "  ")
    return "\n".join(lines)


def draw_rebuild(view: RebuildView, style: Style, width: int) -> str:
    lines = wrap(view.problem.message, width, "  ")
    lines += wrap(f"It is kept as {relative_path(view.aside)}.", width, "  ")
    for run in view.runs:
        said = f"run {run.run_id} ({run.recipe_name}): {plural(run.facts, 'fact')} read"
        lines += wrap(said, width, "    ", style.good("✓ "))
    if view.unread:
        lines += wrap(f"{plural(view.unread, 'row')} could not be read.", width, "  ", style.warn("! "))
    for run_id in view.lost_runs:
        lines += wrap(f"run {run_id}: its beginning cannot be read, so it cannot go on.", width, "  ", style.bad("✗ "))
    lines += _orphans(view, style, width)
    if view.runs:
        said = f"`zenflow resume {view.runs[-1].run_id}` lists the run's tasks first and adopts what the journal lost."
        lines += wrap(said, width, "  ", f"{style.link('→')} ")
    return "\n".join(lines)


def _orphans(view: RebuildView, style: Style, width: int) -> list[str]:
    if view.orphans is None:
        return wrap(f"The service could not be asked for our tasks: {view.trouble}", width, "  ", style.warn("? "))
    lines: list[str] = []
    for one in view.orphans:
        said = f"{plural(len(one.tasks), 'task')} of a run of {one.recipe_name or '?'} that the journal does not know"
        lines += wrap(said, width, "    ", style.warn("! "))
        lines.append(f"  {style.link('→')} zenflow fetch --stamp {one.stamp_run}")
    return lines


def rebuild_document(view: RebuildView) -> dict[str, Any]:
    orphans: Sequence[Any] | None = view.orphans
    return {
        "server": view.server,
        "aside": str(view.aside),
        "problem": {"code": view.problem.code, "message": view.problem.message},
        "runs": [
            {"run_id": run.run_id, "recipe": run.recipe_name, "stamp": run.stamp_run, "facts": run.facts}
            for run in view.runs
        ],
        "lost_runs": list(view.lost_runs),
        "unread_rows": view.unread,
        "orphans": None
        if orphans is None
        else [
            {
                "stamp": one.stamp_run,
                "recipe": one.recipe_name,
                "tasks": [
                    {
                        "task_id": task.task_id,
                        "tool": task.tool,
                        "status": task.status,
                        "created_at": None if task.created_at is None else as_iso(task.created_at),
                    }
                    for task in one.tasks
                ],
            }
            for one in orphans
        ],
    }
