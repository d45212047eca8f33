"""What `repo check` found: findings with their places, version by version, and the tests."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from zenflow.app.sharing.check import CheckReport
from zenflow.cli.terminal.console import Console
from zenflow.cli.terminal.units import plural
from zenflow.cli.views.problems import as_github, as_rows, draw_problems, summary
from zenflow.cli.views.test import draw_tests, tests_document


def show_check(report: CheckReport, console: Console, form: str) -> None:
    """Show it as text, or as annotations of GitHub."""
    if form == "github" and report.problems:
        console.show(as_github(report.problems))
    elif form == "text":
        for one in report.compared:
            changed = "no change" if one.level is None else f"{one.level} change"
            console.show(f"{one.path}: {one.before or '?'} in {one.tag} → {one.after}, {changed}")
        if report.problems:
            console.show("\n" + draw_problems(report.problems, console.style, console.width))
    if report.tests is not None:
        console.show(("\n" if form == "text" else "") + draw_tests(report.tests, console.style, console.width))
    if report.is_good and form == "text":
        console.show(f"{plural(report.recipes, 'recipe')} checked: {summary(report.problems)}.")
    console.document("done" if report.is_good else "failed", _error(report), check_document(report))


def _error(report: CheckReport) -> dict[str, Any] | None:
    first = next((problem for problem in report.problems if problem.severity == "error"), None)
    if first is not None:
        return {"code": first.code, "message": first.message, "hint": first.hint}
    if report.tests is not None and report.tests.failed:
        return {"code": "ZF068", "message": f"{report.tests.failed} of {report.tests.count} cases fail", "hint": None}
    return None


def check_document(report: CheckReport) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "root": str(report.root),
        "recipes": report.recipes,
        "problems": as_rows(report.problems),
        "versions": [asdict(one) for one in report.compared],
        "tests": None if report.tests is None else tests_document(report.tests),
    }
