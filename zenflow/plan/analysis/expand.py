"""How many instances a step has, before its `if`, and what each is made from (rules 15, 16, 19, 21)."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.template import Template
from zenflow.expr.tree import evaluate_tree
from zenflow.expr.types import join, type_name, type_of
from zenflow.expr.values import ANY, SKIPPED, Pending, Type, Value
from zenflow.plan.analysis.draft import (
    MOST_INSTANCES,
    NONE,
    ONE,
    FanoutElements,
    PlanContext,
    RecipeDraft,
    Source,
    StepDraft,
)
from zenflow.plan.analysis.list_lengths import lengths_of
from zenflow.plan.analysis.scope import InstanceLookup, length_of
from zenflow.plan.fanout import Fan
from zenflow.plan.model import Count
from zenflow.problems import Place

NOT_A_LIST = "ZF351"
NO_BOUND = "ZF352"
MORE_THAN_MAX = "ZF353"
WRONG_MAX = "ZF354"
TOO_MANY = "ZF357"


def expand(
    draft: RecipeDraft, step: StepDraft, base: Mapping[str, Value], context: PlanContext
) -> FanoutElements | None:
    """The elements of a step; None when its `foreach` has a problem, which is told."""
    try:
        found = _expand(draft, step, base, context)
    except TooMany as many:
        _report_too_many(step, many.number, context)
        return None
    number = 0 if found is None or found.size is None else found.size * max(1, draft.weight.max)
    if not context.takes(number):
        _report_too_many(step, number, context)
        return None
    return found


class TooMany(Exception):
    """A fan-out that nothing may even be counted of."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _report_too_many(step: StepDraft, number: int, context: PlanContext) -> None:
    if context.is_full:
        return
    context.is_full = True
    message = (
        f"too many instances: `{step.spec.id}` has {_in_figures(number)}, and all steps may have {MOST_INSTANCES:,}"
    )
    context.error(TOO_MANY, message, _place(step), "Split the recipe, or bound the step: `max: 1000`.")


def _in_figures(number: int) -> str:
    return f"{number:,}" if number < 10**15 else "far more"


def _expand(
    draft: RecipeDraft, step: StepDraft, base: Mapping[str, Value], context: PlanContext
) -> FanoutElements | None:
    if step.fanout.kind is Fan.NONE:
        return FanoutElements(ONE, 1, lambda _: True, lambda _: None, lambda _: 0, differs_by_index=False)
    bound = _max_of(draft, step, base, context)
    source = draft.steps.get(str(step.fanout.source))
    if step.fanout.streams and source is not None:
        if source.broken:
            return None
        if step.fanout.kind is Fan.STEP:
            return _over_instances(step, source, bound, context)
        return _over_field(step, source, bound, context)
    try:
        given = evaluate_tree(step.spec.foreach, base)
        if step.fanout.kind is Fan.MATRIX:
            return _over_combinations(draft, step, given, bound, context)
        return _over_list(draft, step, given, bound, context)
    except ExpressionError as error:
        context.report(error.problem)
        return None


def _place(step: StepDraft, *path: str | int) -> Place:
    return step.spec.places.value("foreach", *path)


# --- lists and combinations ---------------------------------------------------------------------------------------


def _over_list(
    draft: RecipeDraft, step: StepDraft, given: Value, bound: int | None, context: PlanContext
) -> FanoutElements | None:
    given = _counted(given)
    if isinstance(given, list):
        return _known(step, given, bound, context)
    if given is SKIPPED:
        return _nothing("its list will not come")
    if not isinstance(given, Pending) or given.type.name not in ("array", "any"):
        _not_a_list(given, context, _place(step))
        return None
    lengths = lengths_of(draft, step.spec.foreach)
    return _unknown(step, given.type.items or ANY, lengths, bound, context, str(given.on or "a list"))


def _over_combinations(
    draft: RecipeDraft, step: StepDraft, given: Mapping[str, Value], bound: int | None, context: PlanContext
) -> FanoutElements | None:
    given = {name: _counted(value) for name, value in given.items()}
    bad = [(name, v) for name, v in given.items() if not _may_be_list(v)]
    for name, value in bad:
        _not_a_list(value, context, _place(step, name))
    if bad:
        return None
    if any(value is SKIPPED for value in given.values()):
        return _nothing("one of its lists will not come")
    lists = {name: value for name, value in given.items() if isinstance(value, list)}
    if len(lists) == len(given):
        return _combined(step, lists, bound, context)
    known = Type("object", fields={name: (type_of(value).items or ANY) for name, value in given.items()})
    parts = [lengths_of(draft, one) for one in (step.spec.foreach or {}).values()]
    expected = math.prod(p[0] for p in parts if p[0] is not None) if all(p[0] is not None for p in parts) else None
    most = math.prod(p[1] for p in parts if p[1] is not None) if all(p[1] is not None for p in parts) else None
    return _unknown(step, known, (expected, most), bound, context, "one of its lists")


def _counted(value: Value) -> Value:
    """A pending list of known length as a list of pending elements."""
    if isinstance(value, Pending) and value.type.name == "array" and value.type.count is not None:
        return [Pending(value.on, value.type.items or ANY)] * value.type.count
    return value


def _may_be_list(value: Value) -> bool:
    return (
        isinstance(value, list)
        or value is SKIPPED
        or (isinstance(value, Pending) and value.type.name in ("array", "any"))
    )


def _known(step: StepDraft, items: list[Any], bound: int | None, context: PlanContext) -> FanoutElements:
    length = _bounded(step, len(items), bound, context)
    known = join(type_of(item) for item in items[:100])

    def item_at(place: int | None) -> Value:
        found: Value = Pending(Source("item"), known) if place is None else items[place]
        return found

    return FanoutElements(
        Count(length, length, length), length, lambda _: True, item_at, lambda place: place, differs_by_index=True
    )


def _combined(
    step: StepDraft, lists: Mapping[str, Sequence[Any]], bound: int | None, context: PlanContext
) -> FanoutElements:
    length = _bounded(step, math.prod(len(items) for items in lists.values()), bound, context)
    known = Type("object", fields={name: join(map(type_of, items[:100])) for name, items in lists.items()})

    def item_at(place: int | None) -> Value:
        if place is None:
            return Pending(Source("item"), known)
        item: dict[str, Any] = {}
        for name, items in reversed(list(lists.items())):  # the last name is the fastest
            place, digit = divmod(place, len(items))
            item[name] = items[digit]
        return {name: item[name] for name in lists}

    return FanoutElements(
        Count(length, length, length), length, lambda _: True, item_at, lambda place: place, differs_by_index=True
    )


def _unknown(
    step: StepDraft,
    known: Type,
    lengths: tuple[int | None, int | None],
    bound: int | None,
    context: PlanContext,
    label: str,
) -> FanoutElements | None:
    """Over a list whose length is only bounded: nothing is known of its places."""
    expected, most = lengths
    top = bound if bound is not None else most
    if top is None:
        hint = "Say how many this step may start at most: `max: 8`."
        context.error(NO_BOUND, f"nobody knows how long {label} will be", _place(step), hint)
        return None
    some = top if expected is None else min(expected, top)
    if expected is not None:
        _warn_of_rest(step, f"goes over {expected} elements as asked for", expected, bound, context)
    return FanoutElements(
        Count(0, some, top),
        None,
        lambda _: None,
        lambda _: Pending(Source("item"), known),
        lambda place: place,
        differs_by_index=False,
        cause=f"the length of {label} is not known yet; at most {top}",
    )


def _nothing(why: str) -> FanoutElements:
    return FanoutElements(
        NONE, 0, lambda _: False, lambda _: SKIPPED, lambda place: place, differs_by_index=False, cause=why
    )


def _not_a_list(given: Value, context: PlanContext, place: Place) -> None:
    label = f"{given.on} is " if isinstance(given, Pending) and given.on is not None else ""
    hint = "A list is needed: `[a, b]`, an expression that gives one, or `${{ steps.ID }}` of a step with `foreach`."
    context.error(NOT_A_LIST, f"`foreach` takes a list; {label or 'this is '}{type_name(given)}", place, hint)


# --- over other steps ---------------------------------------------------------------------------------------------


def _over_instances(
    step: StepDraft, source: StepDraft, bound: int | None, context: PlanContext
) -> FanoutElements | None:
    if not source.spec.fans_out:
        hint = f"Leave `foreach` out, or go over one of its lists: `${{{{ steps.{source.spec.id}.FIELD }}}}`."
        message = f"`{source.spec.id}` has no `foreach`, so it has no instances to go over"
        context.error(NOT_A_LIST, message, _place(step), hint)
        return None
    top = source.count.max if bound is None else min(bound, source.count.max)
    asked = source.count.expected
    _warn_of_rest(step, f"goes over {asked} instances of `{source.spec.id}`", asked, bound, context)
    count = Count(min(source.count.min, top), min(source.count.expected, top), top)
    places = None if _cuts(bound, source.size) else source.size
    several = len(source.groups) > 1 or source.which is not None
    return FanoutElements(
        count,
        places,
        lambda place: _state(source, place),
        lambda place: InstanceLookup(source, place),
        lambda place: place,
        differs_by_index=several,
        cause="; ".join(source.causes),
    )


def _over_field(step: StepDraft, source: StepDraft, bound: int | None, context: PlanContext) -> FanoutElements | None:
    field = str(step.fanout.field)
    per_group = [length_of(group.results.get(field, Pending())) for group in source.groups]
    if field not in source.kinds or not _lists_in(step, source, field, context):
        return None
    expected = sum(s.weight.expected * n[1] for s, n in zip(source.groups, per_group, strict=True))
    low = sum(s.weight.min * n[0] for s, n in zip(source.groups, per_group, strict=True))
    mosts = [None if n[2] is None else s.weight.max * n[2] for s, n in zip(source.groups, per_group, strict=True)]
    most = None if None in mosts else sum(m for m in mosts if m is not None)
    exact = low == expected == most
    _warn_of_rest(step, f"goes over {expected} elements as asked for", expected, bound, context)
    top = bound if bound is not None and not exact else most if bound is None else min(bound, most or 0)
    if top is None:
        return _unknown(step, ANY, (None, None), None, context, f"steps.{source.spec.id}.{field}")
    count = Count(min(low, top), min(expected, top), top)
    cause = "" if exact else f"as many as {source.spec.id} gives; at most {top}"
    offsets = _offsets(source, [n[1] for n in per_group])
    if offsets is None or _cuts(bound, offsets[-1]):
        return _generic(source, field, count, cause)
    places = offsets[-1]

    def parent_at(place: int) -> int:
        return bisect_right(offsets, place) - 1

    def item_at(place: int | None) -> Value:
        if place is None or place >= offsets[-1]:
            return _item_of(source, field, None, 0)
        parent = parent_at(place)
        return _item_of(source, field, parent, place - offsets[parent])

    def state_at(place: int) -> bool | None:
        parent = parent_at(place)
        group = source.group_at(parent)
        if group is None:
            return False
        few, _, many = length_of(group.results.get(field, Pending()))
        return True if group.sure and few == many else None

    several = len(source.groups) > 1 or any(isinstance(s.results.get(field), list) for s in source.groups)
    return FanoutElements(count, places, state_at, item_at, parent_at, differs_by_index=several, cause=cause)


def _lists_in(step: StepDraft, source: StepDraft, field: str, context: PlanContext) -> bool:
    """Whether the field gives a list: of a fan-out always (rule 20), of one instance when it is one."""
    if source.spec.fans_out:
        return True
    value = InstanceLookup(source, None).get(field)
    known = type_of(value).name
    if value is SKIPPED or known in ("array", "any"):
        return True
    _not_a_list(value, context, _place(step))
    return False


def _generic(source: StepDraft, field: str, count: Count, cause: str) -> FanoutElements:
    item = _item_of(source, field, None, 0)
    return FanoutElements(
        count, None, lambda _: None, lambda _: item, lambda place: place, differs_by_index=False, cause=cause
    )


def _cuts(bound: int | None, places: int | None) -> bool:
    """Whether `max` lets only some of a stream start: those that come first, and nobody knows yet which these are."""
    return bound is not None and places is not None and bound < places


def _offsets(source: StepDraft, lengths: list[int]) -> array[int] | None:
    """Where each source instance's elements begin, as if every call gave what was asked (rule 15): a skipped one leaves
    its gap too. None where it is not known how much that would have been asked for."""
    if source.size is None:
        return None
    gap = lengths[0] if lengths and len(set(lengths)) == 1 else None
    offsets = array("Q", [0])
    total = 0
    for place in range(source.size):
        number = 0 if source.which is None else source.which[place]
        length = lengths[number] if number < len(lengths) else gap
        if length is None:
            return None
        total += length
        if total > MOST_INSTANCES:
            raise TooMany(total)
        offsets.append(total)
    return offsets


def _item_of(source: StepDraft, field: str, parent: int | None, position: int) -> Value:
    group = source.group_at(parent)
    value = SKIPPED if group is None else group.results.get(field, Pending())
    if isinstance(value, list):
        return (
            value[position]
            if parent is not None and position < len(value)
            else Pending(Source("item"), join(map(type_of, value)))
        )
    if isinstance(value, Pending) and value.type.name == "array":
        return Pending(Source("item"), value.type.items or ANY)
    return value


def _state(source: StepDraft, place: int) -> bool | None:
    group = source.group_at(place)
    if group is None:
        return False
    return True if group.sure else None


# --- max ----------------------------------------------------------------------------------------------------------


def _max_of(draft: RecipeDraft, step: StepDraft, base: Mapping[str, Value], context: PlanContext) -> int | None:
    """The step's `max`, or what `resume --max` made of it; None where it has none."""
    override = context.max_overrides.get(step.path)
    if override is not None:
        return override
    written = step.spec.max
    if not isinstance(written, Template):
        return written
    try:
        value = evaluate(written, base)
    except ExpressionError as error:
        context.report(error.problem)
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, Pending):
        return None
    context.error(WRONG_MAX, f"`max` must be a whole number; this is {type_name(value)}", step.spec.places.value("max"))
    return None


def _bounded(step: StepDraft, length: int, bound: int | None, context: PlanContext) -> int:
    if bound is None or length <= bound:
        return length
    _warn_of_rest(step, f"has {length} elements", length, bound, context)
    return bound


def _warn_of_rest(step: StepDraft, what: str, asked: int, bound: int | None, context: PlanContext) -> None:
    """Rule 19: never more than `max`, and the run does not end well because of it."""
    if bound is not None and asked > bound:
        rest = "the rest is not started, and the run ends with status 4"
        text = f"`{step.spec.id}` {what} and may start {bound} of them: {rest}"
        context.warning(MORE_THAN_MAX, text, step.spec.places.value("max"), f"`max: {asked}` takes them all.")
