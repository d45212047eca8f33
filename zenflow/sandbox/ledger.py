"""The account's credits: a balance that is the sum of its rows, debits, and refunds when their time comes.

Recorded: one signed row per task, a moment before the task's `created_at`. Key names of a row, the opening grant, and
refunds as rows of their own are chosen by us. It does not know what was bought.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from zenflow.sandbox.clock import as_text
from zenflow.sandbox.identity import made_id
from zenflow.sandbox.refusals import OutOfCredits
from zenflow.sandbox.store import Store


class AccountLedger:
    """Credits in and out, newest row last."""

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    def open_with(self, credits: int, now_s: float) -> None:
        """The grant of a new account; an account that has rows keeps its balance."""
        with self._store.change():
            if self._store.number("SELECT COUNT(*) FROM transactions") == 0:
                self._write(credits, "grant", now_s)

    def balance(self) -> int:
        return self._store.number("SELECT SUM(amount) FROM transactions")

    def debit(self, credits: int, task_id: str, now_s: float) -> None:
        """Take credits for a task, or refuse with 402; call it inside the act that writes the task."""
        if credits > self.balance():
            raise OutOfCredits
        self._write(-credits, "debit", now_s, task_id)

    def adjust(self, credits: int, kind: str, now_s: float) -> None:
        """A top-up, or what another client of the account has spent."""
        with self._store.change():
            self._write(credits, kind, now_s)

    def promise_refund(self, credits: int, task_id: str, call_id: str, due_s: float) -> None:
        self._store.run(
            "INSERT INTO refunds (task_id, call_id, amount, due_at) VALUES (?, ?, ?, ?)",
            task_id,
            call_id,
            credits,
            due_s,
        )

    def settle(self, now_s: float) -> None:
        """Write the refunds that are due; everything that reads or spends settles first, so rows stay in order."""
        if self._store.row("SELECT 1 FROM refunds WHERE due_at <= ?", now_s) is None:
            return
        with self._store.change():
            for row in self._store.rows("SELECT * FROM refunds WHERE due_at <= ? ORDER BY due_at, n", now_s):
                self._write(row["amount"], "refund", row["due_at"], row["task_id"], row["call_id"])
            self._store.run("DELETE FROM refunds WHERE due_at <= ?", now_s)

    def count(self, until_s: float) -> int:
        return self._store.number("SELECT COUNT(*) FROM transactions WHERE created_at <= ?", until_s)

    def page(self, limit: int, offset: int, until_s: float) -> list[dict[str, Any]]:
        """Newest first."""
        rows = self._store.rows(
            "SELECT * FROM transactions WHERE created_at <= ? ORDER BY n DESC LIMIT ? OFFSET ?", until_s, limit, offset
        )
        return [_as_item(row) for row in rows]

    def _write(
        self, amount: int, kind: str, at_s: float, task_id: str | None = None, call_id: str | None = None
    ) -> None:
        row_id = made_id(self._account, "transaction", self._store.next_number())
        self._store.run(
            "INSERT INTO transactions (id, amount, kind, task_id, call_id, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            row_id,
            amount,
            kind,
            task_id,
            call_id,
            at_s,
        )


def _as_item(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "amount": row["amount"],
        "kind": row["kind"],
        "task_id": row["task_id"],
        "call_id": row["call_id"],
        "created_at": as_text(row["created_at"]),
    }
