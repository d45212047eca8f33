"""Sign in at a server and out again. Which server is used for runs is another setting, and is left alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from zenflow.app.config.setting_specs import SANDBOX, ZENCREATOR
from zenflow.app.config.settings import Settings
from zenflow.app.config.trust import Claim
from zenflow.app.connection import wiring
from zenflow.app.connection.trust import ensure_trusted
from zenflow.catalog.model import Account
from zenflow.clock import as_iso
from zenflow.errors import UsageError


@dataclass(frozen=True, slots=True)
class SignedIn:
    server: str
    url: str
    account: Account
    kept_in: str
    used_for_runs: bool  # whether this workspace's runs go there


@dataclass(frozen=True, slots=True)
class SignedOut:
    server: str
    url: str
    was_signed_in: bool
    revoked: bool  # the server ended the grant too


Show = Callable[[str], Awaitable[None]]
Paste = Callable[[], Awaitable[str]]


async def login(settings: Settings, usual_server: str, show: Show, paste: Paste | None) -> SignedIn:
    """`show` brings an address before the person; `paste`, where there is no browser, asks for the redirect.

    `usual_server` is the one that runs use when nothing else is said.
    """
    from zenflow.providers.mcp.signin.login import sign_in
    from zenflow.providers.mcp.wire.http import network

    server = server_to_sign_in(settings)
    ensure_trusted(settings)
    url, store = wiring.url_of(server), wiring.open_grants(settings)
    grant = await sign_in(network(), wiring.clock(), url, show, paste)
    store.save(grant)
    async with wiring.signed_in_provider(grant, store, wiring.clock(), server) as provider:
        account = await provider.account()
    settings.trust.grant([Claim("server", server, "zenflow login")], as_iso(wiring.clock().now()))
    return SignedIn(server, url, account, store.where, usual_server == server)


async def logout(settings: Settings) -> SignedOut:
    """Forget the sign-in here, and end it at the server where that can be done."""
    from zenflow.providers.mcp.signin.oauth import revoke
    from zenflow.providers.mcp.wire.http import network

    server = server_to_sign_in(settings)
    url, store = wiring.url_of(server), wiring.open_grants(settings)
    grant = store.load(url)
    if grant is None:
        return SignedOut(server, url, False, False)
    revoked = await revoke(network(), wiring.clock(), grant)
    store.delete(url)
    return SignedOut(server, url, True, revoked)


def server_to_sign_in(settings: Settings) -> str:
    """The named one; where the workspace uses the embedded sandbox, which knows no sign-in, the live service."""
    asked = settings.by_key["service.server"]
    if asked.value != SANDBOX:
        return str(asked.value)
    if asked.origin == "--server":
        raise UsageError("ZF071", "The embedded sandbox needs no sign-in.", "`zenflow run RECIPE` uses it as it is.")
    return ZENCREATOR
