"""Where the bearer token of a request comes from. Knows no HTTP: `wire` asks, before every request, and holds no lock.

A source that must refresh does so single-flight inside `token()`, so that ten calls wait for one refresh and then go
on side by side (the SDK's own keeps a lock until the answer's head is there: architecture.md, “What makes it fast”).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class TokenSource(Protocol):
    async def token(self) -> str | None:
        """The token for the next request, fresh enough to be accepted; None: send none.

        Raises `ServiceError("sign_in")` when a person must sign in again.
        """
        ...


@dataclass(frozen=True, slots=True)
class StaticToken:
    """One token for the life of the process, as from `ZENFLOW_TOKEN`. Its text never shows in a repr."""

    value: str | None = field(repr=False)

    async def token(self) -> str | None:
        return self.value or None


NO_TOKEN = StaticToken(None)
