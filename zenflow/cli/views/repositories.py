"""Repositories drawn for people, and as JSON."""

from __future__ import annotations

from typing import Any

from zenflow.app.sharing.lock import LockReport
from zenflow.cli.terminal.console import Console
from zenflow.repos.locker import Pinned

COMMIT_SHOWN = 12


def show_lock(report: LockReport, console: Console) -> None:
    """Say what was pinned."""
    for warning in report.warnings:
        console.say(f"{console.talk_ink.warn('warning:')} {warning}")
    for pinned in report.pinned:
        console.show(_pinned_line(pinned))
    if report.kept:
        console.show(f"Locked already: {', '.join(report.kept)}.")
    if not report.pinned and not report.kept:
        console.show("No repositories: `zenflow repo add NAME URL --rev TAG` adds one.")
    console.document("done", None, lock_document(report))


def _pinned_line(pinned: Pinned) -> str:
    now, before = pinned.now, pinned.before
    recipes = sum(1 for path in now.files if path.endswith((".yaml", ".yml")) and ".test." not in path)
    was = f" (was {before.rev}, {before.commit[:COMMIT_SHOWN]})" if before is not None and pinned.is_new else ""
    return f"Locked {pinned.declared.name} at {now.rev}, commit {now.commit[:COMMIT_SHOWN]}{was}: {recipes} recipes."


def lock_document(report: LockReport) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "lock": str(report.file),
        "locked": [
            {
                "name": one.declared.name,
                "url": one.now.url,
                "rev": one.now.rev,
                "commit": one.now.commit,
                "before": None if one.before is None else one.before.commit,
                "files": len(one.now.files),
            }
            for one in report.pinned
        ],
        "kept": list(report.kept),
        "warnings": list(report.warnings),
    }
