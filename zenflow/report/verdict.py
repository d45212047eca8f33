"""What a plan's judgement means, in one sentence, and what would make it fit. Knows no terminal."""

from __future__ import annotations

from zenflow.credits import Credits, as_text, in_words
from zenflow.errors import Refused
from zenflow.plan.model import Judgement, Plan, Verdict


def sentence(plan: Plan) -> str:
    """The verdict, its word first: `Fits: …`, `May stop: …`, `Over: …`, `Unpriced: …`."""
    return _SENTENCES[plan.judgement.verdict](plan, plan.judgement)


def ways_out(plan: Plan) -> tuple[str, ...]:
    """What would make it fit; nothing for a plan that does."""
    if plan.judgement.verdict is Verdict.FITS:
        return ()
    if plan.judgement.ways_out:
        return plan.judgement.ways_out
    if plan.judgement.verdict is Verdict.UNPRICED:
        return (f"Give {_listed(plan.unpriced)} `max_credits`, the most that one call may cost.",)
    return ()


def _fits(plan: Plan, judgement: Judgement) -> str:
    worst = in_words(plan.credits.worst)
    if plan.credits.worst == 0:
        return "Fits: nothing in it costs credits."
    most = worst if plan.credits.exact else f"at most {worst}"
    return f"Fits: {most}, within {_bounds(plan)}."


def _may_stop(plan: Plan, judgement: Judgement) -> str:
    where = f"; it may stop at {judgement.stops_at}" if judgement.stops_at else ""
    by_then = f", with {judgement.finished_by_then}" if judgement.finished_by_then else ""
    inner = judgement.inner
    if inner is not None:
        worst = as_text(inner.credits + judgement.short_by)
        return f"May stop: the worst case of {worst} does not fit {_bound(plan, judgement)}."
    said, bound = _expected(plan.credits.expected), _bound(plan, judgement)
    fits = "fits" if plan.credits.expected == 1 else "fit"
    worst = as_text(plan.credits.worst)
    return f"May stop: {said} and {fits}, the worst case of {worst} does not fit {bound}{where}{by_then}."


def _over(plan: Plan, judgement: Judgement) -> str:
    inner, short = judgement.inner, as_text(judgement.short_by)
    expected = plan.credits.expected if inner is None else inner.credits + judgement.short_by
    return f"Over: {_expected(expected)}, {short} more than {_bound(plan, judgement)}."


def _expected(credits: Credits) -> str:
    return f"{in_words(credits)} {'is' if credits == 1 else 'are'} expected"


def _unpriced(plan: Plan, judgement: Judgement) -> str:
    return f"Unpriced: there is no price for {_listed(plan.unpriced)}, so the run cannot be kept within a budget."


def _bound(plan: Plan, judgement: Judgement) -> str:
    if judgement.bound == "balance":
        return _balance(plan)
    line = judgement.inner or judgement.budget
    return f"the budget of {as_text(line.credits)} ({line.origin})"


def _bounds(plan: Plan) -> str:
    budget = f"the budget of {as_text(plan.budget)} ({plan.judgement.budget.origin})"
    return budget if plan.account is None else f"{budget} and {_balance(plan)}"


def _balance(plan: Plan) -> str:
    return f"the balance of {as_text(None if plan.account is None else plan.account.credits)}"


def _listed(names: tuple[str, ...]) -> str:
    if len(names) <= 3:
        return ", ".join(names)
    return ", ".join(names[:3]) + f" and {len(names) - 3} more"


_SENTENCES = {
    Verdict.FITS: _fits,
    Verdict.MAY_STOP: _may_stop,
    Verdict.OVER: _over,
    Verdict.UNPRICED: _unpriced,
}


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
