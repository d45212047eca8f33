"""How long a list would be that is worked out of others which are not there yet: as asked for, and at most."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeGuard

from zenflow.expr.evaluate import ExpressionError
from zenflow.expr.template import Expression, Template
from zenflow.expr.tree import evaluate_tree
from zenflow.expr.types import most_of, type_of
from zenflow.expr.values import Pending, Value
from zenflow.plan.analysis.draft import RecipeDraft, Source, StepDraft
from zenflow.plan.analysis.scope import Lists, instance_scope, scope_of


def lengths_of(
    draft: RecipeDraft, written: Any, step: StepDraft | None = None, place: int | None = None, existing: bool = False
) -> tuple[int | None, int | None]:
    """How long a list would be as asked for, and at most, by working it out over lists of that length.

    With `step`, as an instance of it would; else as its `foreach`, which no instance is there for yet.
    """
    found: list[int | None] = []
    for lists in (Lists.EXPECTED, Lists.WORST):
        try:
            scope = scope_of(draft, lists)
            own = scope if step is None else instance_scope(scope, draft, step, place)
            value = evaluate_tree(written, own, existing=existing)
        except ExpressionError:
            value = None
        found.append(len(value) if isinstance(value, list) else type_of(value).count)
    expected, most = found
    return expected, None if most is None or expected is None else max(most, expected)


def with_lengths(draft: RecipeDraft, step: StepDraft) -> None:
    """Of a recipe used as a step: the lists it is given, with how long they would be as asked for, and at most."""
    for group in step.groups:
        for name, value in group.params.items():
            if _is_of_unknown_length(value):
                lengths = lengths_of(draft, step.spec.with_.get(name), step, group.first)
                group.params[name] = Pending(Source(str(value.on or name), 0, *lengths), value.type)


def with_lengths_of_sums(draft: RecipeDraft, step: StepDraft) -> None:
    """Of a step that takes what exists: a list that is made of several is as long as all of them, and not as its first."""
    for group in step.groups:
        for name, value in group.params.items():
            group.params[name] = as_long_as_written(draft, step.spec.with_.get(name), value, step, group.first)


def as_long_as_written(
    draft: RecipeDraft, written: Any, value: Value, step: StepDraft | None = None, place: int | None = None
) -> Value:
    """A pending list that was worked out of others, with its own length; one that is only named has it already."""
    if not isinstance(written, Template) or not _is_of_unknown_length(value) or _is_plain(written):
        return value
    known = value.on if isinstance(value.on, Source) else Source("a list")
    expected, most = lengths_of(draft, written, step, place, existing=True)
    bound = most_of(value.type) if most is None else most  # one of two lists: as long as the longer one
    return Pending(replace(known, low=0, expected=bound if expected is None else expected, most=bound), value.type)


def _is_plain(written: Template) -> bool:
    return written.is_single and isinstance(written.parts[0], Expression) and written.parts[0].is_plain


def _is_of_unknown_length(value: Value) -> TypeGuard[Pending]:
    return isinstance(value, Pending) and value.type.name == "array" and value.type.count is None
