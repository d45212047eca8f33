"""The command line against a sandbox over real HTTP: a server in a thread, on a free port, with its levers open."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from zenflow.clock import SystemClock
from zenflow.sandbox.server import serve
from zenflow.sandbox.settings import SandboxSettings

PATIENCE_S = 300.0  # only so that nothing hangs for ever: a busy machine is slow
SPEED = 400.0
PACE = 40.0  # of zenflow's own clock: its waits (2 s between looks, half a second before asking again) pass that fast


class FastClock(SystemClock):
    """Only waits pass on this clock, and each of them passes fast. What the machine takes for its work takes no time."""

    def __init__(self, pace: float) -> None:
        self._pace = pace
        self._began = datetime.now(UTC)
        self._passed_s = 0.0

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self._passed_s)

    def monotonic_s(self) -> float:
        return self._passed_s

    async def sleep(self, wait_s: float) -> None:
        until_s = self._passed_s + max(0.0, wait_s)
        await asyncio.sleep(max(0.0, wait_s) / self._pace)
        self._passed_s = max(self._passed_s, until_s)


@dataclass(frozen=True)
class Town:
    """A sandbox that is being served."""

    url: str
    settings: SandboxSettings

    @property
    def base(self) -> str:
        return self.url.removesuffix("/mcp")

    def admin(self, path: str, body: Any = None, method: str | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.base}/admin/{path}", data, {"content-type": "application/json"}, method=method
        )
        if self.settings.token:
            request.add_header("authorization", f"Bearer {self.settings.token}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE_S) as answer:
            found = json.load(answer)
        assert isinstance(found, dict)
        return found

    def fault(self, **rule: Any) -> None:
        self.admin("faults", [rule])

    def calm(self) -> None:
        self.admin("faults", method="DELETE")

    def credits(self, amount: int) -> None:
        self.admin("credits", {"amount": amount})

    def advance(self, seconds: float) -> None:
        self.admin("advance", {"seconds": seconds})

    @property
    def state(self) -> dict[str, Any]:
        return self.admin("state")

    @property
    def debits(self) -> list[int]:
        return [row["amount"] for row in self.state["transactions"] if row["kind"] == "debit"]

    @property
    def posts(self) -> int:
        return int(self.state["create_task_posts"])


@contextmanager
def sandbox(**settings: Any) -> Iterator[Town]:
    """Serve one; speed high, `/admin` open."""
    chosen = SandboxSettings(**{"speed": SPEED, "admin": True, **settings})
    loop, ready, where = asyncio.new_event_loop(), threading.Event(), []
    task: list[asyncio.Task[None]] = []

    def announce(url: str) -> None:
        where.append(url)
        ready.set()

    def live() -> None:
        asyncio.set_event_loop(loop)
        task.append(loop.create_task(serve(chosen, on_ready=announce)))
        try:
            loop.run_until_complete(task[0])
        except asyncio.CancelledError:
            pass
        finally:
            loop.close()

    thread = threading.Thread(target=live, name="sandbox", daemon=True)
    thread.start()
    assert ready.wait(PATIENCE_S), "the sandbox did not start"
    try:
        yield Town(where[0], chosen)
    finally:
        loop.call_soon_threadsafe(task[0].cancel)
        thread.join(PATIENCE_S)


Sandbox = Callable[..., Any]


@pytest.fixture
def here(empty_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, and a clock that runs fast: how long a wait lasts is no part of what these tests show."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("ZENFLOW_LOST_ANSWER_WAIT", "6")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("zenflow.app.connection.wiring.clock", lambda: FastClock(PACE))
    return empty_folder


@pytest.fixture
def town() -> Iterator[Town]:
    """One sandbox as it should be."""
    with sandbox() as found:
        yield found


@pytest.fixture
def serving_sandbox() -> Sandbox:
    """`with serving_sandbox(credits=3) as town`."""
    return sandbox
