"""The cap over several runs: whether one more reservation has room in it. Pure; both journals ask it."""

from __future__ import annotations

from decimal import Decimal

from zenflow.credits import as_text, in_words
from zenflow.history.events import Intended
from zenflow.journal.base import Cap, CapReached


def check_cap(cap: Cap, event: Intended, committed: Decimal) -> None:
    """`committed`: what all runs of the account hold on that day. Raises CapReached."""
    room = cap.credits - committed
    if event.quote > room:
        raise CapReached(
            "ZF690",
            f"The cap of {in_words(cap.credits)} for {cap.day} leaves {as_text(max(room, Decimal(0)))}: "
            f"the next call needs {as_text(event.quote)}",
            "Resume on another day, or raise per_day in the settings.",
            room=max(room, Decimal(0)),
        )
