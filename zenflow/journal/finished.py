"""Results that another run may take: which facts hold one, and the row that is kept of it. Pure; both journals ask it.

Failed calls have no such fact, so they are never taken. Uploads are known by their bytes elsewhere (`assets`).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from zenflow.history.events import Produced
from zenflow.journal.base import Finished

_UPLOAD = "sha256:"


def is_takeable(fact: Produced) -> bool:
    """Whether the result is that of a request that another run could make."""
    return bool(fact.fingerprint) and not fact.fingerprint.startswith(_UPLOAD)


def credits_of(fact: Produced) -> Decimal:
    """What was paid when it was made, by whichever run."""
    return Decimal(str(fact.reused.get("credits", "0"))) if fact.reused else fact.credits


def finished_of(run_id: str, fact: Produced) -> Finished:
    return Finished(run_id, fact.instance, fact.fingerprint, fact.at, fact.results, credits_of(fact))


def finished_row(run: int, fact: Produced) -> tuple[int, str, str, str, str, str]:
    results = json.dumps(dict(fact.results), separators=(",", ":"), default=str)
    return (run, fact.instance, fact.fingerprint, fact.at, results, str(credits_of(fact)))


def finished_from(row: tuple[Any, ...]) -> Finished:
    run_id, instance, fingerprint, at, results, credits = row
    return Finished(run_id, instance, fingerprint, at, json.loads(results), Decimal(credits))
