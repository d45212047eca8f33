"""The sandbox's world: an account with credits, tasks, calls, assets and a ledger, as a state machine on a clock.

No loop, no network, no protocol, and nothing that ticks: every question carries its moment, and what is due by then
has happened. `service/` turns MCP calls into questions to this class.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from zenflow.sandbox.assets import Asset, Assets
from zenflow.sandbox.ledger import AccountLedger
from zenflow.sandbox.oauth import Authorization
from zenflow.sandbox.progress import TaskProgress
from zenflow.sandbox.refusals import PURCHASE_URL
from zenflow.sandbox.settings import SandboxSettings
from zenflow.sandbox.store import Store
from zenflow.sandbox.submission import PLAIN, FaultEffects, Submissions


class World:
    """Everything that the sandbox remembers."""

    def __init__(self, settings: SandboxSettings, store: Store, now_s: Callable[[], float]) -> None:
        self.settings = settings
        self._store = store
        self._now_s = now_s
        self.account_id = settings.account_id or store.meta("account_id", str(uuid.uuid4()))
        identity = f"{self.account_id}/{settings.seed}"
        self.secret = store.meta("secret", uuid.uuid4().hex).encode()
        self._ledger = AccountLedger(store, identity)
        self._assets = Assets(store, identity)
        self._progress = TaskProgress(store, self.account_id)
        self._submissions = Submissions(settings, store, self._ledger, self._assets, identity)
        self._ledger.open_with(settings.credits, now_s())

    def now_s(self) -> float:
        """This moment, with everything due by it done."""
        now_s = self._now_s()
        self._ledger.settle(now_s)
        return now_s

    def authorization(self, resource: str) -> Authorization:
        """The sign-in of this world, for one audience; its grants are kept with everything else."""
        return Authorization(self._store, self._now_s, resource, self.settings.token_lifetime_s)

    # Account

    def profile(self) -> dict[str, Any]:
        """`get_me`, with the documented fields; e-mail and role are chosen by us."""
        self.now_s()
        credits = self._ledger.balance()
        return {
            "id": self.account_id,
            "email": "sandbox@example.com",
            "credits": credits,
            "role": "user",
            "is_blocked": self.settings.account_blocked,
            "nsfw_allowed": self.settings.nsfw_allowed,
            "active": not self.settings.account_inactive,
            "is_paying": self.settings.trusted,
            "is_trusted": self.settings.trusted,
            "out_of_credits": credits <= 0,
            "purchase_url": PURCHASE_URL if credits <= 0 else None,
        }

    def balance(self) -> int:
        self.now_s()
        return self._ledger.balance()

    def transactions(self, limit: int, offset: int, lag_s: float = 0.0) -> tuple[int, list[dict[str, Any]]]:
        until_s = self.now_s() - lag_s
        return self._ledger.count(until_s), self._ledger.page(limit, offset, until_s)

    def adjust(self, credits: int, kind: str) -> None:
        """Credits that come or go without a task: a top-up, or another client of the account."""
        self._ledger.adjust(credits, kind, self.now_s())

    # Tasks

    def submit(
        self, tool_name: str, inputs: Sequence[Any], comment: str | None, effects: FaultEffects = PLAIN
    ) -> dict[str, Any]:
        now_s = self.now_s()
        task_id = self._submissions.submit(tool_name, inputs, comment, now_s, effects)
        return self._progress.summary(task_id, now_s)

    def task(self, task_id: str) -> dict[str, Any]:
        return self._progress.task(task_id, self.now_s())

    def next_end(self, task_id: str) -> float | None:
        return self._progress.next_end(task_id, self.now_s())

    def call_result(self, call_id: str) -> dict[str, Any]:
        return self._progress.call_result(call_id, self.now_s())

    def tasks(self, *, lag_s: float = 0.0, **filters: Any) -> tuple[int, list[dict[str, Any]]]:
        now_s = self.now_s()
        before_s = now_s - lag_s if lag_s else None
        return self._progress.listing(now_s, created_before_s=before_s, **filters)

    def running_tools(self) -> set[str]:
        return self._progress.running_tools(self.now_s())

    def delete_task(self, task_id: str) -> None:
        self._progress.delete(task_id)

    # Assets

    def upload(self, body: bytes, media_type: str, size: tuple[int, int] | None) -> Asset:
        return self._assets.upload(body, media_type, size, self.now_s())

    def asset(self, asset_id: str) -> Asset:
        return self._assets.get(asset_id, self.now_s())

    def media_type_of(self, asset_id: str) -> str | None:
        """None: there is no such asset (yet)."""
        return self._assets.media_type_of(asset_id, self.now_s())

    def drawn_from(self, asset: Asset) -> list[Asset]:
        return self._assets.ancestors(asset)

    def uploaded_bytes(self, asset: Asset) -> bytes:
        return self._assets.uploaded_bytes(asset)

    # Requests that take effect later than their connection lived (a mishap)

    def postpone(self, tool: str, arguments: dict[str, Any], delay_s: float) -> None:
        with self._store.change():
            self._store.run(
                "INSERT INTO delayed (due_at, tool, arguments) VALUES (?, ?, ?)",
                self.now_s() + delay_s,
                tool,
                json.dumps(arguments),
            )

    def take_due(self) -> list[tuple[str, dict[str, Any]]]:
        """Postponed requests whose time has come, each given once."""
        now_s = self._now_s()
        if self._store.row("SELECT 1 FROM delayed WHERE due_at <= ?", now_s) is None:
            return []
        with self._store.change():
            rows = self._store.rows("SELECT * FROM delayed WHERE due_at <= ? ORDER BY due_at, n", now_s)
            self._store.run("DELETE FROM delayed WHERE due_at <= ?", now_s)
        return [(row["tool"], json.loads(row["arguments"])) for row in rows]

    def dump(self) -> dict[str, Any]:
        """Everything that a test may want to look at."""
        _, tasks = self._progress.listing(self.now_s(), limit=1_000_000)
        return {
            "account_id": self.account_id,
            "credits": self._ledger.balance(),
            "tasks": tasks,
            "transactions": self._ledger.page(1_000_000, 0, float("inf")),
            "assets": self._store.number("SELECT COUNT(*) FROM assets"),
        }

    def close(self) -> None:
        self._store.keep_moment(self._now_s())
        self._store.close()
