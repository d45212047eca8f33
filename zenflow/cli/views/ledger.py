"""The books of a run: a table, rows for a spreadsheet, a document."""

from __future__ import annotations

import csv
import io
from typing import Any

from zenflow.app.ledger import LedgerView
from zenflow.cli.views.ink import Ink
from zenflow.cli.views.places import where_line
from zenflow.cli.views.table import Column, table
from zenflow.credits import ZERO, as_number, as_text
from zenflow.report.ledger import LedgerRow

_TASK_SHOWN = 8
_CSV_HEAD = (
    "submission",
    "at",
    "steps",
    "tool",
    "calls",
    "outcome",
    "task_id",
    "quote",
    "charged",
    "refunded",
    "confirmed",
)


def draw_ledger(view: LedgerView, ink: Ink, width: int) -> str:
    report, started = view.seen.report, view.seen.report.state.started
    head = [] if started is None else [ink.strong(where_line(started.server))]
    head.append(f"run {report.run_id} · budget {as_text(report.state.budget)}")
    if not view.rows:
        return "\n".join([*head, "", "Nothing was submitted."])
    columns = [
        Column("#", right=True),
        Column("steps", shrinks=True, least=8),
        Column("tool", shrinks=True, least=8),
        Column("calls", right=True),
        Column("outcome", shrinks=True, least=8),
        Column("task"),
        Column("quote", right=True),
        Column("charged", right=True),
        Column("refund", right=True),
    ]
    if view.listed is not None:
        columns.append(Column("listed", right=True))
    lines = [*head, "", *table(columns, [_cells(view, row) for row in view.rows], width, ink, feet=[_foot(view)])]
    unconfirmed = sum(1 for row in view.rows if row.charged and not row.confirmed)
    if unconfirmed:
        lines.append(f"  * {unconfirmed} at the quote: the account's own row was not seen yet")
    return "\n".join([*lines, *_comparison(view, ink)])


def draw_csv(view: LedgerView) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV_HEAD)
    for row in view.rows:
        writer.writerow(_row_document(row)[name] for name in _CSV_HEAD)
    return text.getvalue().rstrip("\n")


def ledger_document(view: LedgerView) -> dict[str, Any]:
    books = view.seen.report.state.books
    rows = []
    for row in view.rows:
        document = _row_document(row)
        if view.listed is not None:
            document["difference"] = as_number(view.difference(row))
        rows.append(document)
    return {
        "run_id": view.seen.report.run_id,
        "submissions": rows,
        "totals": {
            "reserved": as_number(books.reserved),
            "open": as_number(books.open),
            "charged": as_number(books.charged),
            "released": as_number(books.released),
            "unknown": as_number(books.unknown),
            "difference": as_number(books.difference),
            "refunded": as_number(books.refunded),
            "spent": as_number(books.spent),
            "budget": as_number(view.seen.report.state.budget),
        },
        "checked": view.listed is not None,
    }


def _row_document(row: LedgerRow) -> dict[str, Any]:
    return {
        "submission": row.submission,
        "at": row.at,
        "steps": row.steps,
        "tool": row.tool,
        "calls": row.calls,
        "outcome": row.outcome,
        "task_id": row.task_id,
        "quote": as_number(row.quote),
        "charged": as_number(row.charged),
        "refunded": as_number(row.refunded),
        "confirmed": row.confirmed,
    }


def _cells(view: LedgerView, row: LedgerRow) -> list[str]:
    star = "" if row.confirmed or not row.charged else "*"
    cells = [
        str(row.submission),
        row.steps,
        row.tool,
        str(row.calls),
        row.outcome,
        (row.task_id or "–")[:_TASK_SHOWN],
        as_text(row.quote),
        as_text(row.charged) + star,
        as_text(row.refunded) if row.refunded else "–",
    ]
    if view.listed is not None:
        cells.append("–" if row.task_id is None else as_text(view.listed.get(row.task_id)))
    return cells


def _foot(view: LedgerView) -> list[str]:
    books = view.seen.report.state.books
    quoted = sum((row.quote for row in view.rows), ZERO)
    foot = ["", "total", "", str(sum(r.calls for r in view.rows)), "", "", as_text(quoted)]
    foot += [as_text(books.charged + books.difference), as_text(books.refunded) if books.refunded else "–"]
    return [*foot, as_text(sum(view.listed.values(), ZERO))] if view.listed is not None else foot


def _comparison(view: LedgerView, ink: Ink) -> list[str]:
    if view.listed is None:
        return []
    if view.agrees:
        return ["", ink.good("The account's transaction list agrees, row by row.")]
    differing = [row for row in view.rows if view.difference(row)]
    lines = ["", ink.bad("The account's transaction list differs:")]
    return lines + [f"  #{row.submission} task {row.task_id}: {_signed(view, row)} credits" for row in differing]


def _signed(view: LedgerView, row: LedgerRow) -> str:
    difference = view.difference(row)
    return ("+" if difference and difference > 0 else "") + as_text(difference)
