"""Repositories drawn for people, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from zenflow.app.sharing.inventory import Deviation, RepositoryRow
from zenflow.app.sharing.lock import LockReport
from zenflow.cli.terminal.console import Console
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.repos.locker import Pinned

COMMIT_SHOWN = 12


def show_lock(report: LockReport, console: Console) -> None:
    """Say what was pinned."""
    for warning in report.warnings:
        console.info(f"{console.message_style.warn('warning:')} {warning}")
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


_ROWS = (
    Column("name"),
    Column("rev", shrinks=True, least=7),
    Column("commit"),
    Column("recipes", right=True),
    Column("newer tags", shrinks=True, least=10),
)
_NEWER_SHOWN = 3


def draw_repositories(rows: Sequence[RepositoryRow], style: Style, width: int) -> str:
    """One line for each repository, and below it when its tags were asked for."""
    if not rows:
        return "No repositories: `zenflow repo add NAME URL --rev TAG` adds one."
    lines = table(_ROWS, [_row_cells(row) for row in rows], width, style)
    for row in rows:
        if row.problem:
            lines += wrap(f"{row.name}: {row.problem}", width, "  ", style.bad("! "))
        if row.is_branch:
            lines += wrap(f"{row.name}: {row.rev} is a branch, which moves", width, "  ", style.warn("! "))
    dates = {row.refs_at[:10] for row in rows if row.refs_at}
    lines += ["", f"Tags as of {', '.join(sorted(dates))}: `zenflow repo update --check` asks again."] if dates else []
    return "\n".join(lines)


def _row_cells(row: RepositoryRow) -> list[str]:
    newer = ", ".join(row.newer[:_NEWER_SHOWN]) + (", …" if len(row.newer) > _NEWER_SHOWN else "")
    return [
        row.name + (" (vendored)" if row.is_vendored else ""),
        row.rev,
        "not locked" if row.commit is None else row.commit[:COMMIT_SHOWN],
        "?" if row.recipes is None else str(row.recipes),
        newer or "–",
    ]


def repositories_document(rows: Sequence[RepositoryRow]) -> dict[str, Any]:
    """The same as JSON."""
    return {"repositories": [asdict(row) for row in rows]}


def show_verification(count: int, found: Sequence[Deviation], console: Console) -> None:
    """Name every file that differs."""
    for one in found:
        place = f"{one.repository}:{one.path}" if one.path else one.repository
        console.show(f"{console.style.bad(place)}: {one.what}")
    if not found:
        console.show(f"{count} files are as they were locked.")
    error = None
    if found:
        error = {
            "code": "ZF547",
            "message": f"{len(found)} of {count} files differ from zenflow.lock",
            "hint": "`zenflow repo lock --repair` writes the cache again.",
        }
        if not console.json:
            console.show(f"{console.style.link('→')} {error['hint']}")
    document = {"compared": count, "differing": [asdict(one) for one in found]}
    console.document("failed" if found else "done", error, document)
