"""Calls that the service declines when it is asked for their price: it would decline them when they are sent, too.

The page says so (“the same payload would be rejected by create_task”), so they are problems of the recipe at their line,
before anything is paid, and `max_credits` does not cure them. What stands in for a value that is not made yet may be the
reason itself: then only a violation that names a known parameter counts, or a gate of the account.
"""

from __future__ import annotations

from collections.abc import Iterator

from zenflow.catalog.plain_schema import has_pending
from zenflow.catalog.prices import PriceBook, PriceRequest, Quote
from zenflow.plan.analysis.draft import InstanceGroup, PlanContext, RecipeDraft, StepDraft
from zenflow.plan.analysis.source_map import named_parameter, source_location
from zenflow.plan.pricing.price import walk
from zenflow.problems import Problem

DECLINED = "ZF428"
_GATE = 403
_CHANGE_IT = "Change the call: a price limit does not help, the service would refuse the call itself."
_GET_ACCESS = "Choose another model or tool, or get access to it: `zenflow account` shows what your account may do."


def tell_declined(draft: RecipeDraft, book: PriceBook, context: PlanContext) -> None:
    """Report every declined call of a draft, each violation at the line of its parameter."""
    for _, step in walk(draft):
        for group in step.groups:
            quote = None if group.price_request is None else book.find(group.price_request)
            if quote is not None and group.price_request is not None and quote.declined:
                for problem in _problems_of(step, group, group.price_request, quote):
                    context.report(problem)


def _problems_of(step: StepDraft, group: InstanceGroup, price_request: PriceRequest, quote: Quote) -> Iterator[Problem]:
    is_gate = quote.refusal_status == _GATE
    for said in quote.violations or (quote.refusal or "",):
        if price_request.placeholder and not (_is_about_gate(said) if is_gate else _is_about_known(step, group, said)):
            continue
        which = f" (in `{step.path}.{group.first}`)" if len(step.groups) > 1 and group.first is not None else ""
        message = f"the service refuses this call of `{step.spec.uses}`{which}: {said}"
        hint = _GET_ACCESS if is_gate else _CHANGE_IT
        yield Problem(DECLINED, message, source_location(step.spec, said), hint, refuses=is_gate)


def _is_about_known(step: StepDraft, group: InstanceGroup, said: str) -> bool:
    """Tell whether a violation names a parameter whose value is the real one."""
    path = named_parameter(step.spec, said)
    return bool(path) and path[0] in group.params and not has_pending(group.params[str(path[0])])


def _is_about_gate(said: str) -> bool:
    """Tell whether a 403 is about the account, the tool or the model, and not about an asset that was made up."""
    return "asset" not in said.lower()
