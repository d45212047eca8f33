"""The account of each server as it was seen last (`accounts.json` beside the journal), for plans without a service.

Holds an id, a balance and the account's gates, with the time; no name, no address, no token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenflow.app.config.settings import Settings
from zenflow.catalog.model import Account
from zenflow.clock import as_iso, from_iso
from zenflow.credits import credits_from
from zenflow.host.writing import replace_json
from zenflow.plan.output.plan_file import kept_value

if TYPE_CHECKING:
    from zenflow.journal.base import Journal

NAME = "accounts.json"


@dataclass(frozen=True, slots=True)
class CachedAccount:
    """`at`: when; None where only its id is known, from a run."""

    account: Account
    at: datetime | None


def cache_account(settings: Settings, account: Account, now: datetime) -> None:
    """Keep it. That it cannot be written down is no reason to fail a plan."""
    file = settings.state_dir / NAME
    if not file.parent.is_dir():
        return
    row: dict[str, Any] = {
        "account_id": account.account_id,
        "credits": None if account.credits is None else str(account.credits),
        "at": as_iso(now),
        "nsfw_allowed": account.nsfw_allowed,
        "is_trusted": account.is_trusted,
    }
    try:
        replace_json(file, {**_document(file), _name(settings): row})
    except OSError:
        return


def cached_account(settings: Settings, journal: Journal) -> CachedAccount | None:
    """The account that a plan or a run of this server saw last; None where there was none yet."""
    found = _read(_document(settings.state_dir / NAME).get(_name(settings)))
    if found is not None:
        return found
    row = next((row for row in journal.runs() if row.server == settings.server), None)
    return None if row is None else CachedAccount(Account(row.account_id, None), None)


def _read(row: Any) -> CachedAccount | None:
    try:
        account = Account(
            account_id=str(row["account_id"]),
            credits=credits_from(row["credits"]),
            nsfw_allowed=row["nsfw_allowed"] is True,
            is_trusted=row["is_trusted"] is True,
        )
        return CachedAccount(account, from_iso(row["at"]))
    except (KeyError, TypeError, ValueError):
        return None


def _name(settings: Settings) -> str:
    return str(kept_value(settings.server))


def _document(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
