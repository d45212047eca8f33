"""Rows of the account's transaction list. Its keys are documented nowhere (docs/service.md, “Account”): every
plausible spelling is read.

What it makes of a row is an id, a signed amount (a debit is below zero) and the task it is about. What belongs to whom
is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from zenflow.credits import Credits, credits_from
from zenflow.providers.base import Transaction
from zenflow.providers.mcp.session.answers import UUID, first, moment_at, next_offset, rows_at, text_at
from zenflow.providers.mcp.session.call import Caller, ask, missing

PAGE_LIMIT = 100  # account: pages as of the other lists
_AMOUNTS = ("amount", "credits", "delta", "value", "change", "credits_delta", "credit_amount", "amount_credits")
_KINDS = ("type", "kind", "transaction_type", "entry_type", "direction", "operation", "action", "category", "reason")
_TASKS = ("task_id", "taskId", "task.id", "metadata.task_id", "meta.task_id", "details.task_id", "metadata.taskId")
_WORDS = ("description", "comment", "note", "memo", "details", "title", "message", "text", "label", "name")
_GIVES_BACK = re.compile(r"refund|revers|return|compensat|rollback|void|cancel", re.I)
_TAKES = re.compile(
    r"debit|charg|spen[dt]|usage|used|consum|deduct|withdraw|expense|outgoing|(^|\W|_)out($|\W|_)", re.I
)


async def transactions(caller: Caller, *, limit: int, offset: int) -> tuple[tuple[Transaction, ...], int | None]:
    limit = min(max(limit, 1), PAGE_LIMIT)
    page = await ask(caller, "list_credit_transactions", {"limit": limit, "offset": offset})
    rows = rows_at(page, "items", "transactions", "data", "results", "rows", "entries", "history")
    found = tuple(_transaction(row) for row in rows)
    if any(not row.transaction_id for row in found):
        raise missing(
            "list_credit_transactions", "id of a row", page
        )  # a position cannot be built on it (docs/money.md)
    return found, next_offset(page, offset, len(rows), limit)


def _transaction(row: Mapping[str, Any]) -> Transaction:
    return Transaction(
        transaction_id=text_at(row, "id", "transaction_id", "transactionId", "uuid", "_id") or "",
        amount=_amount(row),
        task_id=_task_id(row),
        created_at=_moment(row),
        row=row,
    )


def _amount(row: Mapping[str, Any]) -> Credits | None:
    """Signed. Recorded rows are (docs/service.md, “Account”); a list may as well show sizes, and the direction beside them."""
    amount = credits_from(first(row, *_AMOUNTS))
    if amount is None:
        return _of_two_columns(row)
    if amount < 0:
        return amount
    return -amount if _takes(row, amount) else amount


def _of_two_columns(row: Mapping[str, Any]) -> Credits | None:
    debit = credits_from(first(row, "debit", "debited", "charged", "spent", "withdrawal"))
    credit = credits_from(first(row, "credit", "credited", "refunded", "deposit"))
    if debit is None and credit is None:
        return None
    return abs(credit or Credits(0)) - abs(debit or Credits(0))


def _takes(row: Mapping[str, Any], size: Credits) -> bool:
    """Whether a row without a minus is a debit: by the balances beside it, else by the word for its kind."""
    before = credits_from(first(row, "balance_before", "previous_balance", "balanceBefore"))
    after = credits_from(first(row, "balance_after", "new_balance", "balanceAfter"))
    if before is not None and after is not None and abs(after - before) == size:
        return after < before
    kinds = " ".join(word for key in _KINDS if (word := text_at(row, key)))
    return _TAKES.search(kinds) is not None and _GIVES_BACK.search(kinds) is None


def _moment(row: Mapping[str, Any]) -> datetime | None:
    """When a row came about: by a plausible name, else the first value that is a moment at all."""
    named = moment_at(row, "created_at", "createdAt", "timestamp", "date", "time", "created", "ts")
    return named or next((moment_at(row, key) for key, value in row.items() if _looks_like_a_time(value)), None)


def _looks_like_a_time(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", value) is not None


def _task_id(row: Mapping[str, Any]) -> str | None:
    """The task a row is about: by a key of its own; by any key named for a task; by a reference; by its words."""
    named = text_at(row, *_TASKS)
    if named:
        return named
    about = [key for key in row if "task" in key.lower()]
    for key in (*about, "reference", "reference_id", "ref", "ref_id", "generation_id", "job_id", "source_id"):
        loose = text_at(row, key)
        found = UUID.search(loose) if loose else None
        if found:
            return found.group(0)
    if text_at(row, "reference_type", "ref_type", "source_type") == "task":  # says so itself: its ids need be no UUIDs
        return text_at(row, "reference_id", "ref_id", "source_id", "reference", "ref")
    return _in_words(row)


def _in_words(row: Mapping[str, Any]) -> str | None:
    """The one UUID that a row's description holds; of several, none can be told to be the task's."""
    found = {uuid for key in _WORDS if (words := text_at(row, key)) for uuid in UUID.findall(words)}
    return found.pop() if len(found) == 1 else None
