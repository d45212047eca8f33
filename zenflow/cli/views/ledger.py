"""The books of a run, call by call: a table, rows for a spreadsheet, a document; and those of all runs, by revision."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from zenflow.app.recovery.ledger import LedgerView, RecipeRevision
from zenflow.cli.terminal.headings import titled, where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.terminal.units import plural
from zenflow.credits import ZERO, as_number, as_text, in_words
from zenflow.engine.maintenance.audit import sentence
from zenflow.history.events import RunStarted
from zenflow.recipe.origins import origin_lines, origins_document, origins_of
from zenflow.report.ledger import CallRow, LedgerRow

_ID_SHOWN, DIGEST_SHOWN = 8, 8
_CSV_HEAD = (
    "run",
    "server",
    "labels",
    "recipe",
    "version",
    "digest",
    "submission",
    "at",
    "instance",
    "try",
    "tool",
    "model",
    "status",
    "task_id",
    "call_id",
    "quote",
    "charged",
    "refunded",
    "confirmed",
    "compared",
)
_COLUMNS = (
    Column("#", right=True),
    Column("call", shrinks=True, ends_matter=True, least=12),
    Column("tool", shrinks=True, least=7),
    Column("status", shrinks=True, least=6),
    Column("task"),
    Column("id"),
    Column("quote", right=True),
    Column("charged", right=True),
    Column("refund", right=True),
)
_RUNS = (
    Column("run"),
    Column("server", shrinks=True, least=8),
    Column("status"),
    Column("calls", right=True),
    Column("charged", right=True),
    Column("refund", right=True),
    Column("spent", right=True),
)

# --------------------------------------------------------------------------------------------------------------- one run


def draw_ledger(view: LedgerView, style: Style, width: int) -> str:
    report, started = view.seen.report, view.seen.report.state.started
    head = [] if started is None else [style.strong(where_line(started.server)), _revision_of(started)]
    head += [] if started is None else origin_lines(origins_of(started.recipe_origins))
    head.append(f"run {report.run_id} · budget {as_text(report.state.budget)}")
    if not view.rows:
        return "\n".join([*head, "", "Nothing was submitted."])
    lines = [*head, "", *table(_COLUMNS, [_cells(row) for row in view.calls], width, style, feet=[_foot(view)])]
    unconfirmed = sum(1 for row in view.rows if row.charged and not row.confirmed)
    if unconfirmed:
        said = f"* at the quote: of {plural(unconfirmed, 'submission')} the account's own row was not seen yet"
        lines += wrap(said, width, "    ", "  ")
    return "\n".join([*lines, *_comparison(view, style, width)])


def _revision_of(started: RunStarted) -> str:
    return f"{titled(started.recipe_name, started.recipe_version)} · revision {started.recipe_digest[:DIGEST_SHOWN]}"


def _cells(row: CallRow) -> list[str]:
    star = "" if row.confirmed or not row.charged else "*"
    again = f" (try {row.try_number})" if row.try_number > 1 else ""
    return [
        str(row.submission),
        row.instance + again,
        row.tool,
        row.status,
        (row.task_id or "–")[:_ID_SHOWN],
        (row.call_id or "–")[:_ID_SHOWN],
        as_text(row.quote),
        as_text(row.charged) + star,
        as_text(row.refunded) if row.refunded else "–",
    ]


def _foot(view: LedgerView) -> list[str]:
    totals = view.seen.report.state.totals
    quoted = sum((row.quote for row in view.rows), ZERO)
    foot = ["", "total", "", "", "", "", as_text(quoted)]
    return [*foot, as_text(totals.charged + totals.difference), as_text(totals.refunded) if totals.refunded else "–"]


def _comparison(view: LedgerView, style: Style, width: int) -> list[str]:
    check = view.check
    if check is None:
        return []
    lines = [""]
    if view.news:
        lines.append(f"Taken in just now: {plural(view.news, 'row')} of the account's transaction list.")
    if not check.complete:
        lines += wrap("The list could not be read down to the start of the run.", width, "  ", style.warn("! "))
    differing = [one for one in check.compared if not one.agrees]
    if check.agrees:
        lines.append(style.good("The account's transaction list agrees, row by row."))
    elif differing:
        lines.append(style.bad("The account's transaction list differs:"))
    for one in differing:
        lines += wrap(f"#{one.submission} {sentence(one)}", width, "     ", "  ")
    for row in check.unowned:
        mark = style.bad("! ") if row.ours else "· "
        said = f"{in_words(row.amount)}, row {row.transaction_id}, task {row.task_id or '–'}: {row.said}"
        lines += wrap(said, width, "    ", mark)
    open_ones = [one for one in check.compared if one.found == "not known yet"]
    if open_ones:
        numbers = ", ".join(f"#{one.submission}" for one in open_ones)
        command = f"`zenflow reconcile {view.seen.report.run_id}`"
        lines += wrap(f"Not known yet: {numbers}. {command} shows them.", width, "  ")
    count, total = check.others
    if count:
        lines.append(f"Other clients since then: {plural(count, 'debit')}, {in_words(total)}.")
    return lines


# ----------------------------------------------------------------------------------------------------------- all of them


def draw_revisions(revisions: Sequence[RecipeRevision], style: Style, width: int) -> str:
    if not revisions:
        return "No runs yet. `zenflow run RECIPE` starts one."
    lines: list[str] = []
    for one in revisions:
        lines.append(style.strong(f"{titled(one.name, one.version)} · revision {one.digest[:DIGEST_SHOWN]}"))
        feet = [["total", "", "", str(one.calls), "", "", as_text(one.spent)]]
        lines += [*table(_RUNS, [_run_cells(view) for view in one.runs], width, style, feet=feet), ""]
    spent: dict[str, Decimal] = {}
    for view in (view for one in revisions for view in one.runs):
        started = view.seen.report.state.started
        server = started.server if started is not None else ""
        spent[server] = spent.get(server, ZERO) + view.seen.report.state.totals.spent
    sums = [f"Spent {in_words(total)} on {server}, net of refunds." for server, total in sorted(spent.items())]
    return "\n".join([*lines, *sums])


def _run_cells(view: LedgerView) -> list[str]:
    report = view.seen.report
    totals, started = report.state.totals, report.state.started
    return [
        report.run_id,
        "" if started is None else started.server,
        report.status,
        str(len(view.calls)),
        as_text(totals.charged + totals.difference),
        as_text(totals.refunded) if totals.refunded else "–",
        as_text(totals.spent),
    ]


# ------------------------------------------------------------------------------------------------------- for other programs


def draw_csv(views: Iterable[LedgerView]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV_HEAD)
    for view in views:
        for row in _csv_rows(view):
            writer.writerow(row[name] for name in _CSV_HEAD)
    return text.getvalue().rstrip("\n")


def _csv_rows(view: LedgerView) -> Iterable[dict[str, Any]]:
    started = view.seen.report.state.started
    at = {row.submission: row for row in view.rows}
    for call in view.calls:
        compared = view.compared(at[call.submission])
        yield {
            "run": view.seen.report.run_id,
            "server": None if started is None else started.server,
            "labels": None if started is None else _labels(started),
            "model": _model(view, call),
            "recipe": None if started is None else started.recipe_name,
            "version": None if started is None else started.recipe_version,
            "digest": None if started is None else started.recipe_digest,
            "at": at[call.submission].at,
            "compared": None if compared is None else compared.found,
            **_call_document(call),
        }


def _labels(started: RunStarted) -> str:
    return " ".join(f"{key}={value}" for key, value in (started.options.get("labels") or {}).items())


def _model(view: LedgerView, row: CallRow) -> str | None:
    calls = view.seen.report.state.submissions[row.submission].calls
    return next((call.call.params.get("model") for call in calls if call.call.instance == row.instance), None)


def ledger_document(view: LedgerView) -> dict[str, Any]:
    totals, started = view.seen.report.state.totals, view.seen.report.state.started
    return {
        "run_id": view.seen.report.run_id,
        "recipe": None
        if started is None
        else {
            "name": started.recipe_name,
            "version": started.recipe_version,
            "digest": started.recipe_digest,
            "repositories": origins_document(origins_of(started.recipe_origins)),
        },
        "submissions": [_submission_document(view, row) for row in view.rows],
        "calls": [_call_document(row) for row in view.calls],
        "totals": {
            "reserved": as_number(totals.reserved),
            "open": as_number(totals.open),
            "charged": as_number(totals.charged),
            "released": as_number(totals.released),
            "unknown": as_number(totals.unknown),
            "difference": as_number(totals.difference),
            "refunded": as_number(totals.refunded),
            "spent": as_number(totals.spent),
            "budget": as_number(view.seen.report.state.budget),
        },
        "checked": view.check is not None,
        "check": _check_document(view),
    }


def revisions_document(revisions: Sequence[RecipeRevision]) -> dict[str, Any]:
    return {
        "revisions": [
            {
                "recipe": {"name": one.name, "version": one.version, "digest": one.digest},
                "spent": as_number(one.spent),
                "calls": one.calls,
                "runs": [ledger_document(view) for view in one.runs],
            }
            for one in revisions
        ]
    }


def _submission_document(view: LedgerView, row: LedgerRow) -> dict[str, Any]:
    document = {
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
    compared = view.compared(row)
    if compared is not None:
        document |= {"difference": as_number(view.difference(row)), "compared": compared.found}
        document["transactions"] = list(compared.rows)
    return document


def _call_document(row: CallRow) -> dict[str, Any]:
    return {
        "submission": row.submission,
        "instance": row.instance,
        "try": row.try_number,
        "tool": row.tool,
        "status": row.status,
        "task_id": row.task_id,
        "call_id": row.call_id,
        "quote": as_number(row.quote),
        "charged": as_number(row.charged),
        "refunded": as_number(row.refunded),
        "confirmed": row.confirmed,
    }


def _check_document(view: LedgerView) -> dict[str, Any] | None:
    check = view.check
    if check is None:
        return None
    return {
        "agrees": check.agrees,
        "complete": check.complete,
        "taken_in": view.news,
        "differences": [
            {"submission": one.submission, "found": one.found, "said": sentence(one)}
            for one in check.compared
            if not one.agrees
        ],
        "rows_without_ours": [
            {
                "transaction_id": row.transaction_id,
                "amount": as_number(row.amount),
                "task_id": row.task_id,
                "said": row.said,
                "ours": row.ours,
            }
            for row in check.unowned
        ],
        "other_clients": {"debits": check.others[0], "credits": as_number(check.others[1])},
    }
