"""Tests of recipes: a line per case, below it what is not as expected, then the sum."""

from __future__ import annotations

from typing import Any

from zenflow.app.authoring.recipe_tests import CaseResult, TestReport
from zenflow.cli.terminal.headings import relative_path
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.terminal.units import plural


def draw_tests(report: TestReport, style: Style, width: int) -> str:
    """File by file."""
    lines: list[str] = []
    for file in report.files:
        lines += [style.strong(relative_path(file.path)) + (" · plans kept" if file.updated else "")]
        for case in file.cases:
            lines += _case(case, style, width)
        lines.append("")
    if report.failed:
        lines.append(style.bad(f"{report.failed} of {plural(report.count, 'case')} do not hold."))
    else:
        lines.append(style.good(f"{plural(report.count, 'case')}: all hold.") + " Nothing was spent.")
    return "\n".join(lines)


def _case(case: CaseResult, style: Style, width: int) -> list[str]:
    mark = style.good("ok    ") if case.ok else style.bad("FAILED")
    lines = [f"  {mark} {case.name} ({case.seconds:.1f} s)"]
    for difference in case.differences:
        lines += wrap(difference, width, "           ", "         ")
    return lines


def tests_document(report: TestReport) -> dict[str, Any]:
    """As JSON."""
    return {
        "cases": report.count,
        "failed": report.failed,
        "files": [
            {
                "path": str(file.path),
                "plans_kept": file.updated,
                "cases": [
                    {
                        "name": case.name,
                        "ok": case.ok,
                        "seconds": round(case.seconds, 3),
                        "differences": list(case.differences),
                    }
                    for case in file.cases
                ],
            }
            for file in report.files
        ],
    }
