"""Where the bearer token of a request comes from. Knows no HTTP: `wire` asks, before every request, and holds no lock.

A source that must refresh does so single-flight inside `token()`, so that ten calls wait for one refresh and then go
on side by side.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from zenflow.clock import Clock
from zenflow.errors import UsageError
from zenflow.log_context import hide
from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.tokens.store import Grant, GrantStore

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, 2.1: b64token


def checked_token(text: str) -> str:
    """Return a token without the blanks around it. Raise `UsageError` (ZF714) where it holds anything foreign.

    The error never shows the token: it may end in a line break, as secrets of CI systems and of files do.
    """
    token = text.strip()
    if _TOKEN.fullmatch(token) is None:
        raise UsageError(
            "ZF714",
            "invalid token: it holds characters that no bearer token has",
            "Set ZENFLOW_TOKEN again; copy the token alone, without quotes, spaces or line breaks inside.",
        )
    return token


class TokenSource(Protocol):
    @property
    def host(self) -> str | None:
        """The one host that may see the token; None: the host of the server that the user named."""
        ...

    @property
    def number(self) -> int | None:
        """Grows with each token that takes the place of another; None: it stays the same."""
        ...

    async def token(self) -> str | None:
        """The token for the next request, fresh enough to be accepted; None: send none.

        Raises `ServiceError("sign_in")` when a person must sign in again.
        """
        ...

    async def refused(self, token: str | None) -> bool:
        """The server answered 401 to this token. True: there is another one now, so asking again is worth it.

        Raises `ServiceError("sign_in")` when a person must sign in again.
        """
        ...


@dataclass(frozen=True, slots=True)
class StaticToken:
    """One token for the life of the process, as from `ZENFLOW_TOKEN`. Its text never shows in a repr."""

    value: str | None = field(repr=False)
    host: str | None = None

    def __post_init__(self) -> None:
        hide(self.value)

    @property
    def number(self) -> int | None:
        return None

    async def token(self) -> str | None:
        return checked_token(self.value) if self.value else None

    async def refused(self, token: str | None) -> bool:
        return False


NO_TOKEN = StaticToken(None)

EARLY_PART = 0.25  # of a token's life before its end: refreshed in the background, the old one still serves
EARLY_MOST_S = 300.0
EARLY_EVERY_S = 1.0
LATE_PART = 0.1  # so near to its end that a request might arrive after it: waited for
LATE_MOST_S = 10.0
REFUSALS_MOST = 3  # fresh tokens refused within this time: the server wants something else than a token
REFUSALS_WITHIN_S = 60.0

Refresh = Callable[[Grant], Awaitable[Grant]]
"""Fresh tokens for a grant. Raises `GrantEnded`, or ServiceError when asking went wrong."""


class RefreshingToken:
    """The tokens of a sign-in, refreshed before they end; one refresh at a time however many calls wait."""

    def __init__(
        self,
        grant: Grant,
        store: GrantStore,
        clock: Clock,
        refresh: Refresh,
        ended: Callable[[object], ServiceError],
        is_end: type[Exception],
    ) -> None:
        self._grant = grant
        self._store = store
        self._clock = clock
        self._refresh = refresh
        self._ended = ended
        self._is_end = is_end
        self._refreshing: asyncio.Task[None] | None = None
        self._refusals: list[float] = []
        self._tried_at_s = -EARLY_EVERY_S
        self._number = 1

    @property
    def host(self) -> str | None:
        return urlsplit(self._grant.server).hostname

    @property
    def number(self) -> int | None:
        return self._number

    async def token(self) -> str | None:
        left_s = self._left_s()
        if left_s is None or self._grant.refresh_token is None:
            return self._grant.access_token
        lives_s = self._lives_s()
        if left_s <= min(LATE_MOST_S, lives_s * LATE_PART):
            await self._renew()
        elif left_s <= min(EARLY_MOST_S, lives_s * EARLY_PART) and self._may_try_early():
            self._begin()  # nobody waits: the token in hand still serves
        return self._grant.access_token

    async def refused(self, token: str | None) -> bool:
        if token is not None and token != self._grant.access_token:
            return True  # it was replaced while that request was on its way
        now_s = self._clock.monotonic_s()
        self._refusals = [at for at in self._refusals if now_s - at < REFUSALS_WITHIN_S]
        if len(self._refusals) >= REFUSALS_MOST:
            return False
        self._refusals.append(now_s)
        await self._renew()
        return True

    async def close(self) -> None:
        """Let a refresh that is on its way end: its answer holds the only good refresh token."""
        if self._refreshing is not None:
            await asyncio.wait([self._refreshing], timeout=10.0)

    def _left_s(self) -> float | None:
        """Seconds until the token ends; None: it does not say."""
        if self._grant.expires_at is None:
            return None
        return (self._grant.expires_at - self._clock.now()).total_seconds()

    def _lives_s(self) -> float:
        grant = self._grant
        if grant.expires_at is None or grant.issued_at is None:
            return 60.0
        return (grant.expires_at - grant.issued_at).total_seconds()

    def _may_try_early(self) -> bool:
        """Once a second at most: a refresh that fails is tried again by the next call, and calls are many."""
        now_s = self._clock.monotonic_s()
        if now_s - self._tried_at_s < EARLY_EVERY_S:
            return False
        self._tried_at_s = now_s
        return True

    async def _renew(self) -> None:
        """Wait for the one refresh. A caller that is cancelled leaves it running for the others."""
        await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Task[None]:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._renewed(), name="refresh the sign-in")
            self._refreshing.add_done_callback(_looked_at)
        return self._refreshing

    async def _renewed(self) -> None:
        """Another process may have refreshed meanwhile: the store is read before, and again when ours was refused."""
        if await self._taken_over():
            return
        grant = self._grant
        try:
            fresh = await self._refresh(grant)
        except self._is_end as no:
            if await self._taken_over():
                return
            raise self._ended(no) from no
        self._grant = fresh
        self._number += 1
        try:
            await asyncio.to_thread(self._store.save, fresh)
        except UsageError:
            return  # this process has it; the next one may have to sign in again

    async def _taken_over(self) -> bool:
        stored = await asyncio.to_thread(self._store.load, self._grant.server)
        if stored is None or stored.access_token == self._grant.access_token:
            return False
        if stored.issued_at is None or self._grant.issued_at is None or stored.issued_at <= self._grant.issued_at:
            return False
        self._grant = stored
        self._number += 1
        left_s = self._left_s()
        return left_s is None or left_s > min(LATE_MOST_S, self._lives_s() * LATE_PART)


def _looked_at(task: asyncio.Task[None]) -> None:
    """A refresh ahead of time that failed is nobody's trouble yet: whoever needs the token asks again and hears it."""
    if not task.cancelled():
        task.exception()
