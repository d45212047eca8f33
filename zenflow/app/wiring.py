"""The only place where real parts are chosen: which provider, which journal, where files go, how fast.

Everything else takes what it is given. Heavy libraries (the protocol, pictures) load here, when a part is opened.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from zenflow.app.keys import LIVE_URL, SANDBOX, ZENCREATOR
from zenflow.app.settings import TOKEN_VARIABLE, Settings
from zenflow.artifacts.base import ArtifactStore
from zenflow.clock import Clock, SystemClock
from zenflow.engine.door import Limits
from zenflow.errors import UsageError
from zenflow.ids import RandomBytes
from zenflow.journal.base import Journal
from zenflow.providers.base import Provider, Service, ServiceError

IN_PROCESS_URL = "http://sandbox.invalid/mcp"
WATCH_LEAST_S = 2.0  # seed 000: wait at least 2 s between polls


@dataclass(frozen=True, slots=True)
class Connection:
    """A service and the journal beside it: what a use case works with."""

    settings: Settings
    provider: Provider
    journal: Journal
    clock: Clock


@asynccontextmanager
async def connect(settings: Settings, *, read_only: bool) -> AsyncIterator[Connection]:
    """Open both; `read_only` is for those who begin no run."""
    at = clock()
    journal = open_journal(settings, at, read_only=read_only)
    try:
        async with open_provider(settings, at) as provider:
            yield Connection(settings, provider, journal, at)
    finally:
        await journal.close()


def clock() -> Clock:
    return SystemClock()


def random_bytes() -> RandomBytes:
    return secrets.token_bytes


@asynccontextmanager
async def open_provider(settings: Settings, clock: Clock) -> AsyncIterator[Service]:
    """The service that the settings name, connected when first asked."""
    from zenflow.providers.mcp.auth import StaticToken
    from zenflow.providers.mcp.http import in_process, network
    from zenflow.providers.mcp.provider import McpProvider

    server = settings.server
    if server == SANDBOX:
        from zenflow.sandbox.server import build_app
        from zenflow.sandbox.settings import SandboxSettings

        state_dir = settings.state_dir / "sandbox"
        _make(state_dir)
        app = build_app(SandboxSettings(speed=settings.speed, state_dir=state_dir))
        opened = McpProvider(IN_PROCESS_URL, clock=clock, http=in_process(app), server=SANDBOX)
    else:
        if server == ZENCREATOR and settings.token is None:
            raise ServiceError(
                "sign_in",
                "There is no token for zencreator.",
                hint=f"Set {TOKEN_VARIABLE} to a bearer token of your account, or use `--server sandbox`.",
            )
        url = LIVE_URL if server == ZENCREATOR else server
        opened = McpProvider(url, tokens=StaticToken(settings.token), clock=clock, http=network(), server=server)
    async with opened as provider:
        yield provider


def open_journal(settings: Settings, clock: Clock, *, read_only: bool = False) -> Journal:
    """The journal of the workspace; `read_only` makes nothing."""
    from zenflow.journal.sqlite import open_journal as open_sqlite

    return open_sqlite(settings.state_dir, clock=clock, read_only=read_only)


def open_store(folder: Path) -> ArtifactStore:
    """Where the files of one run go."""
    from zenflow.artifacts.disk import DiskStore

    return DiskStore(folder)


def limits_of(settings: Settings) -> Limits:
    """The engine's limits. The embedded sandbox is asked as often as its speed makes sense of."""
    embedded = settings.server == SANDBOX
    speed = max(1.0, settings.speed) if embedded else 1.0
    return Limits(
        in_flight=settings.value("limits.in_flight"),
        requests_per_second=settings.value("limits.requests_per_second") * speed,
        batch=settings.value("limits.batch"),
        lost_answer_wait_s=float(settings.value("limits.lost_answer_wait")),
        watch_least_s=WATCH_LEAST_S / speed,
    )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            "ZF030",
            f"The state folder {folder} cannot be made: {error.strerror}.",
            "Name another with `--state DIR`.",
        ) from error
