"""Prices that this workspace was told, by server and question.

They serve `plan --offline`, and, for a time that the user sets, a plan that need not ask again. A run asks again before it
pays, whatever stands here (promise 3: no quote older than 30 s).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from zenflow.app.config.settings import Settings
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.clock import Clock, as_iso, from_iso
from zenflow.credits import price_from
from zenflow.host.writing import replace_json
from zenflow.plan.output.plan_file import kept_value
from zenflow.plan.pricing.price import Ask

NAME = "prices.json"
MOST = 5_000


@dataclass(slots=True)
class PriceCache:
    """What one server has told."""

    file: Path
    server: str
    _quotes: dict[str, Quote] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> PriceCache:
        """What is there; a file that cannot be read is an empty one."""
        cache = cls(settings.state_dir / NAME, str(kept_value(settings.server)))
        for key, row in _rows(cache.file, cache.server).items():
            quote = _quote(row)
            if quote is not None:
                cache._quotes[key] = quote
        return cache

    def find(self, key: str) -> Quote | None:
        return self._quotes.get(key)

    def fresh(self, key: str, now: datetime, seconds: float) -> Quote | None:
        """An answer that is not older than that; one from the future (a clock was set back) has no age that counts."""
        found = self._quotes.get(key)
        age = None if found is None else now - found.asked_at
        return found if age is not None and timedelta(0) <= age <= timedelta(seconds=seconds) else None

    def remember(self, quotes: Mapping[str, Quote]) -> None:
        """Keep new answers. That they cannot be written down is no reason to fail a plan."""
        known = {key: quote for key, quote in quotes.items() if quote.credits is not None}
        if not known or not self.file.parent.is_dir():
            return
        self._quotes |= known
        everything = _document(self.file)
        newest = sorted(self._quotes.items(), key=lambda item: item[1].asked_at)[-MOST:]
        everything[self.server] = {
            key: {"credits": str(quote.credits), "asked_at": as_iso(quote.asked_at), "stand_in": quote.placeholder}
            for key, quote in newest
        }
        try:
            replace_json(self.file, everything)
        except OSError:
            return


def with_cache(ask: Ask, cache: PriceCache, clock: Clock, seconds: float) -> Ask:
    """Asks only for what is not known freshly enough; every new answer is kept. `seconds` 0: always asks."""

    async def asked(price_requests: Sequence[PriceRequest]) -> Mapping[str, Quote]:
        now = clock.now()
        fresh = {q.key: cache.fresh(q.key, now, seconds) for q in price_requests} if seconds > 0 else {}
        real = {
            q.key for q in price_requests if not q.placeholder
        }  # what was told for a stand-in does not answer these
        known = {key: quote for key, quote in fresh.items() if quote and not (quote.placeholder and key in real)}
        answers = await ask([q for q in price_requests if q.key not in known])
        cache.remember(answers)
        return {**known, **answers}

    return asked


def _document(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _rows(file: Path, server: str) -> Mapping[str, Any]:
    rows = _document(file).get(server)
    return rows if isinstance(rows, dict) else {}


def _quote(row: Any) -> Quote | None:
    try:
        return Quote(price_from(row["credits"]), from_iso(row["asked_at"]), placeholder=bool(row["stand_in"]))
    except (KeyError, TypeError, ValueError):
        return None
