"""Whether a plan may run, as an error when it may not (status 3). The verdict itself is the plan's."""

from __future__ import annotations

from zenflow.errors import Refused
from zenflow.plan.model import Plan, Verdict
from zenflow.report.verdict import sentence, ways_out

OVER_BUDGET, OVER_BALANCE, UNPRICED, MAY_STOP = "ZF661", "ZF662", "ZF663", "ZF664"
BLOCKED = "ZF660"
_ASK = "Ask the service's support why; `zenflow account` shows how the account stands."


def refusal_of(plan: Plan, *, strict: bool = False) -> Refused | None:
    """None when it may run."""
    if plan.account is not None and plan.account.closed:
        said = f"account {plan.account.account_id} is {plan.account.closed}: the service refuses its calls"
        return Refused(BLOCKED, said, _ASK)
    verdict = plan.judgement.verdict
    if verdict is Verdict.FITS or (verdict is Verdict.MAY_STOP and not strict):
        return None
    hint = ", or ".join(ways_out(plan)) or None
    return Refused(_code(plan), sentence(plan), hint)


def _code(plan: Plan) -> str:
    verdict = plan.judgement.verdict
    if verdict is Verdict.UNPRICED:
        return UNPRICED
    if verdict is Verdict.MAY_STOP:
        return MAY_STOP
    return OVER_BALANCE if plan.judgement.bound == "balance" else OVER_BUDGET
