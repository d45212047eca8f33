"""The only place where real parts are chosen: which provider, which journal, where files go, how fast.

Everything else takes what it is given. Heavy libraries (the protocol, pictures) load here, when a part is opened.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenflow.app.config.setting_specs import LIVE_URL, SANDBOX, ZENCREATOR
from zenflow.app.config.settings import TOKEN_VARIABLE, Settings
from zenflow.app.connection.probe_results import findings_of
from zenflow.app.connection.trust import ensure_trusted
from zenflow.clock import Clock, SystemClock
from zenflow.engine.model.ports import Limits
from zenflow.errors import UsageError
from zenflow.host.writing import link_out_of, make_private_folder
from zenflow.ids import RandomBytes
from zenflow.providers.base import Provider, ReadOnlyProvider, Service, ServiceError

if TYPE_CHECKING:
    from zenflow.artifacts.base import ArtifactStore
    from zenflow.journal.base import Journal
    from zenflow.journal.shared_rate_limit import SharedRateLimit
    from zenflow.providers.mcp.tokens.store import Grant, GrantStore

_SIGN_IN_HINT = (
    f"`zenflow login` signs you in; in CI set {TOKEN_VARIABLE}. `--server sandbox` tries everything without an account."
)
IN_PROCESS_URL = "http://sandbox.invalid/mcp"
WATCH_LEAST_S = 2.0  # docs/service.md, “Troubleshooting”: wait at least 2 s between polls


@dataclass(frozen=True, slots=True)
class ReadOnlyConnection:
    """A service that is asked only, and the journal beside it: what planning works with. It offers no `submit`."""

    settings: Settings
    provider: ReadOnlyProvider
    journal: Journal
    clock: Clock


@dataclass(frozen=True, slots=True)
class Connection(ReadOnlyConnection):
    """The same with all that the service can do: what runs work with."""

    provider: Provider


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[Connection]:
    """Open both."""
    at = clock()
    journal = open_journal(settings, at)
    try:
        async with open_provider(settings, at) as provider:
            yield Connection(settings, provider, journal, at)
    finally:
        await journal.close()


@asynccontextmanager
async def connect_read_only(settings: Settings) -> AsyncIterator[ReadOnlyConnection]:
    """Open both for those who begin no run: the journal is read only, and the service can only be asked."""
    at = clock()
    journal = open_journal(settings, at, read_only=True)
    try:
        async with open_provider(settings, at) as provider:
            yield ReadOnlyConnection(settings, provider, journal, at)
    finally:
        await journal.close()


@asynccontextmanager
async def connect_sandbox(
    settings: Settings, *, faults: Path | None = None, **manners: Any
) -> AsyncIterator[Connection]:
    """A sandbox of one's own, gone with the connection; `manners` are settings of it. Raises UsageError for wrong ones."""
    from zenflow.providers.mcp.provider import McpProvider
    from zenflow.providers.mcp.wire.http import in_process
    from zenflow.sandbox.server import build_app
    from zenflow.sandbox.settings import SandboxSettings

    try:
        blocked = tuple(manners.pop("blocked", ()))
        app = build_app(SandboxSettings(speed=settings.speed, faults=faults, blocked=blocked, **manners))
    except (TypeError, ValueError) as error:
        raise UsageError(
            "ZF067", f"The sandbox cannot be like that: {error}.", "docs/sandbox.md says what it can."
        ) from error
    at = clock()
    journal = open_journal(settings, at)
    try:
        async with McpProvider(IN_PROCESS_URL, clock=at, http=in_process(app), server=SANDBOX) as provider:
            yield Connection(settings, provider, journal, at)
    finally:
        await journal.close()


def clock() -> Clock:
    return SystemClock()


def random_bytes() -> RandomBytes:
    return secrets.token_bytes


@asynccontextmanager
async def open_provider(settings: Settings, clock: Clock) -> AsyncIterator[Service]:
    """The service that the settings name, connected when first asked. Raises Refused for one that only a file names."""
    ensure_trusted(settings)
    if settings.server == SANDBOX:
        async with _embedded(settings, clock) as provider:
            yield provider
        return
    from zenflow.providers.mcp.provider import McpProvider
    from zenflow.providers.mcp.tokens.source import NO_TOKEN, StaticToken
    from zenflow.providers.mcp.wire.http import network

    server, url = settings.server, url_of(settings.server)
    if settings.token is None:  # ZENFLOW_TOKEN wins over a sign-in
        store = open_grants(settings)
        grant = store.load(url)
        if grant is not None:
            async with signed_in_provider(grant, store, clock, server) as provider:
                yield provider
            return
        if server == ZENCREATOR:
            why = f" (the system keyring cannot be asked: {store.trouble})" if store.trouble else ""
            raise ServiceError("sign_in", f"Nobody is signed in at zencreator{why}.", hint=_SIGN_IN_HINT)
    tokens = NO_TOKEN if settings.token is None else StaticToken(settings.token, settings.token_host)
    async with McpProvider(url, tokens=tokens, clock=clock, http=network(), server=server) as opened:
        yield opened


@asynccontextmanager
async def _embedded(settings: Settings, clock: Clock) -> AsyncIterator[Service]:
    """The sandbox in this process, its world in the state folder."""
    from zenflow.providers.mcp.provider import McpProvider
    from zenflow.providers.mcp.wire.http import in_process
    from zenflow.sandbox.server import build_app
    from zenflow.sandbox.settings import SandboxSettings

    state_dir = settings.state_dir / "sandbox"
    for folder in (state_dir, state_dir / "files"):
        if link_out_of(settings.state_dir, folder) is not None:
            raise _unusable(folder, "it is a link that leads out of it")
    _make(state_dir)
    try:
        app = build_app(SandboxSettings(speed=settings.speed, state_dir=state_dir))
    except OSError as error:
        raise _unusable(state_dir, error.strerror or str(error)) from error
    async with McpProvider(IN_PROCESS_URL, clock=clock, http=in_process(app), server=SANDBOX) as provider:
        yield provider


@asynccontextmanager
async def signed_in_provider(grant: Grant, store: GrantStore, clock: Clock, server: str) -> AsyncIterator[Service]:
    """A service by way of a person's sign-in; its tokens are refreshed and kept while it is open."""
    from zenflow.providers.mcp.provider import McpProvider
    from zenflow.providers.mcp.signin import oauth
    from zenflow.providers.mcp.tokens.source import RefreshingToken
    from zenflow.providers.mcp.wire.http import network

    http = network()
    tokens = RefreshingToken(
        grant,
        store,
        clock,
        lambda old: oauth.refresh(http, clock, old),
        lambda why: oauth.ended(server, why),
        oauth.GrantEnded,
    )
    try:
        async with McpProvider(grant.server, tokens=tokens, clock=clock, http=http, server=server) as provider:
            yield provider
    finally:
        await tokens.close()


def open_grants(settings: Settings) -> GrantStore:
    """Where sign-ins are kept: the keyring, else the user's configuration folder."""
    from zenflow.providers.mcp.tokens.store import open_grants as open_store

    return open_store(settings.config_dir / "sign-ins")


def url_of(server: str) -> str:
    """The MCP endpoint of a server's name, in the one form that entries are kept under."""
    from zenflow.providers.mcp.session.connect_errors import checked_url

    return checked_url(LIVE_URL if server == ZENCREATOR else server)


def open_journal(settings: Settings, clock: Clock, *, read_only: bool = False) -> Journal:
    """The journal of the workspace; `read_only` makes nothing."""
    from zenflow.journal.sqlite import open_journal as open_sqlite

    return open_sqlite(settings.state_dir, clock=clock, read_only=read_only)


def open_pace(settings: Settings) -> SharedRateLimit | None:
    """What the runs of a workspace share of a server's patience; the embedded sandbox is each process's own."""
    if settings.server == SANDBOX:
        return None
    from zenflow.journal.shared_rate_limit import SharedRateLimit as FileOfPace

    return FileOfPace(settings.state_dir, settings.server)


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
        batch=_batch(settings),
        max_submission=settings.value("limits.max_submission"),
        lost_answer_wait_s=float(settings.value("limits.lost_answer_wait")),
        watch_least_s=WATCH_LEAST_S / speed,
    )


def _batch(settings: Settings) -> int:
    """One call in each submission where the probe has found that `calls[]` is not in the order of `inputs[]` (A5)."""
    asked: int = settings.value("limits.batch")
    return 1 if findings_of(settings.state_dir, settings.server).holds("A5") is False else asked


def _make(folder: Path) -> None:
    try:
        make_private_folder(folder)
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from error


def _unusable(folder: Path, reason: str) -> UsageError:
    return UsageError("ZF030", f"unusable state folder {folder}: {reason}", "Name another one: `--state DIR`.")
