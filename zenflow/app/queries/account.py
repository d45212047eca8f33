"""Who is signed in, with which balance and which gates."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.catalog.model import Account


@dataclass(frozen=True, slots=True)
class AccountView:
    server: str
    account: Account
    committed: Decimal  # what runs of this journal have set aside and may yet spend


async def account(settings: Settings) -> AccountView:
    clock = wiring.clock()
    journal = wiring.open_journal(settings, clock, read_only=True)
    try:
        async with wiring.open_provider(settings, clock) as provider:
            found = await with_retries(provider.account, clock)
        return AccountView(settings.server, found, journal.committed_elsewhere(found.account_id, ""))
    finally:
        await journal.close()
