"""Results that another run may take: which facts hold one, and the row that is kept of it. Pure; both journals ask it.

Failed calls have no such fact, so they are never taken. Uploads are known by their bytes elsewhere (`assets`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from zenflow.history.events import Produced
from zenflow.history.fold import ORPHANED
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


def moved_names(names: Sequence[str], moves: Mapping[str, str]) -> dict[str, str]:
    """The instances' names after a change of the recipe; a result that nothing asks for has a name of its own."""
    taken = {*moves.values(), *names}
    found: dict[str, str] = {}
    for name in names:
        aside, number = name, 0
        while name not in moves and (aside in taken or not aside.startswith(ORPHANED)):
            number += 1
            aside = f"{ORPHANED}{number}/{name.split('/', 1)[1] if name.startswith(ORPHANED) else name}"
        found[name] = moves.get(name, aside)
        taken.add(found[name])
    return found


def finished_row(run: int, fact: Produced) -> tuple[int, str, str, str, str, str]:
    results = json.dumps(dict(fact.results), separators=(",", ":"), default=str)
    return (run, fact.instance, fact.fingerprint, fact.at, results, str(credits_of(fact)))


def finished_from(row: tuple[Any, ...]) -> Finished:
    run_id, instance, fingerprint, at, results, credits = row
    return Finished(run_id, instance, fingerprint, at, json.loads(results), Decimal(credits))
