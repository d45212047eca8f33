"""Calls that the service declines when it is asked for their price: it would decline them when they are sent, too.

The page says so (“the same payload would be rejected by create_task”), so they are problems of the recipe at their line,
before anything is paid, and `max_credits` does not cure them. What stands in for a value that is not made yet may be the
reason itself: then only a violation that names a known parameter counts, or a gate of the account.
"""

from __future__ import annotations

from collections.abc import Iterator

from zenflow.catalog.partial_validation import has_pending
from zenflow.catalog.prices import PriceBook, Question, Quote
from zenflow.plan.analysis.draft import Desk, RecipeDraft, Shape, StepDraft
from zenflow.plan.analysis.source_map import named_parameter, written_at
from zenflow.plan.pricing.price import walk
from zenflow.problems import Problem

DECLINED = "ZF428"
_GATE = 403
_CHANGE_IT = "Change the call: a price limit does not help, the service would refuse the call itself."
_GET_ACCESS = "Choose another model or tool, or get access to it: `zenflow account` shows what your account may do."


def tell_declined(draft: RecipeDraft, book: PriceBook, desk: Desk) -> None:
    """Report every declined call of a draft, each violation at the line of its parameter."""
    for _, step in walk(draft):
        for shape in step.shapes:
            quote = None if shape.question is None else book.find(shape.question)
            if quote is not None and shape.question is not None and quote.declined:
                for problem in _problems_of(step, shape, shape.question, quote):
                    desk.tell(problem)


def _problems_of(step: StepDraft, shape: Shape, question: Question, quote: Quote) -> Iterator[Problem]:
    is_gate = quote.refusal_status == _GATE
    for said in quote.violations or (quote.refusal or "",):
        if question.stand_in and not (_is_about_gate(said) if is_gate else _is_about_known(step, shape, said)):
            continue
        which = f" (in `{step.path}.{shape.first}`)" if len(step.shapes) > 1 and shape.first is not None else ""
        message = f"the service refuses this call of `{step.spec.uses}`{which}: {said}"
        hint = _GET_ACCESS if is_gate else _CHANGE_IT
        yield Problem(DECLINED, message, written_at(step.spec, said), hint, refuses=is_gate)


def _is_about_known(step: StepDraft, shape: Shape, said: str) -> bool:
    """Tell whether a violation names a parameter whose value is the real one."""
    path = named_parameter(step.spec, said)
    return bool(path) and path[0] in shape.params and not has_pending(shape.params[str(path[0])])


def _is_about_gate(said: str) -> bool:
    """Tell whether a 403 is about the account, the tool or the model, and not about an asset that was made up."""
    return "asset" not in said.lower()
