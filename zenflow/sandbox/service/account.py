"""The account's own tools: get_me, list_credit_transactions."""

from __future__ import annotations

from zenflow.sandbox.service.answers import Answer, page
from zenflow.sandbox.service.request_context import Arguments, Visit


def get_me(visit: Visit, args: Arguments) -> Answer:
    profile = visit.world.profile()
    return Answer(data=profile, title=f"{profile['credits']} credits")


def list_credit_transactions(visit: Visit, args: Arguments) -> Answer:
    """Newest first."""
    lag = visit.mishaps.first("ledger_lag")
    total, items = visit.world.transactions(args["limit"], args["offset"], lag.seconds if lag else 0.0)
    return Answer(data=page(total, args["offset"], args["limit"], items), title=f"{total} transactions")
