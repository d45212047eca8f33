"""The account's own tools: get_me, list_credit_transactions."""

from __future__ import annotations

from zenflow.sandbox.service.answers import Answer, page
from zenflow.sandbox.service.request_context import Arguments, RequestContext


def get_me(context: RequestContext, args: Arguments) -> Answer:
    profile = context.world.profile()
    return Answer(data=profile, title=f"{profile['credits']} credits")


def list_credit_transactions(context: RequestContext, args: Arguments) -> Answer:
    """Newest first."""
    lag = context.faults.first("ledger_lag")
    total, items = context.world.transactions(args["limit"], args["offset"], lag.seconds if lag else 0.0)
    return Answer(data=page(total, args["offset"], args["limit"], items), title=f"{total} transactions")
