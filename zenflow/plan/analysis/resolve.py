"""The parameters of a step's instances, as far as they are known, gathered into shapes; and which will not run.

Only what can differ is worked out per instance, and only what affects check or price is kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Mapping
from typing import Any

from zenflow.catalog.call_shapes import frozen, shape_of
from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.failure import ABSENT
from zenflow.expr.template import Template
from zenflow.expr.tree import evaluate_tree, has_skipped, pendings_in, without_nulls
from zenflow.expr.types import type_name
from zenflow.expr.values import SKIPPED, Pending, Skipped, Value
from zenflow.plan.analysis.dependencies import references_of
from zenflow.plan.analysis.draft import NEVER, NONE, InstanceGroup, PlanContext, RecipeDraft, Source, StepDraft, plus
from zenflow.plan.analysis.results import guess_media
from zenflow.plan.analysis.scope import instance_scope
from zenflow.plan.model import Count
from zenflow.problems import Place
from zenflow.recipe.actions import TOLERATES_MISSING_INPUTS
from zenflow.recipe.model import StepSpec

NOT_A_CONDITION = "ZF355"
NO_PREVIOUS = "ZF356"
OF_NO_INSTANCE: Mapping[str, Value] = {name: Pending() for name in ("item", "index", "origin", "previous")}
_PER_FILE = "name"  # of a download: rendered per file, when the file is there


def step_parameters(
    step: StepSpec, scope: Mapping[str, Value], *, may_not_run: bool = False
) -> dict[str, Any] | Skipped:
    """The parameters of one instance without nulls; `SKIPPED` when a value in them will not come (rule 12).

    `download` and `preview` take what exists; their `name` is left out. Raises `ExpressionError`; where the instance may not
    run, not for data that is not there, which may be what its `if` is about.
    """
    takers = step.kind == "action" and step.uses in TOLERATES_MISSING_INPUTS
    written = {name: value for name, value in step.with_.items() if name != _PER_FILE} if takers else dict(step.with_)
    try:
        found = evaluate_tree(written, scope, existing=takers)
    except ExpressionError as error:
        if not may_not_run or error.code != ABSENT:
            raise
        found = _guarded(written, scope, takers)
    params: dict[str, Any] = without_nulls(found)
    if takers:
        params = {name: _what_exists(value) for name, value in params.items()}
    return SKIPPED if has_skipped(params) else params


def _guarded(written: Any, scope: Mapping[str, Value], existing: bool) -> Any:
    """As `evaluate_tree`, and what is not there as a value of any type that is not known."""
    if isinstance(written, dict):
        return {key: _guarded(item, scope, existing) for key, item in written.items()}
    if isinstance(written, list):
        return [_guarded(item, scope, existing) for item in written]
    try:
        return evaluate_tree(written, scope, existing=existing)
    except ExpressionError as error:
        if error.code != ABSENT:
            raise
        return Pending()


def runs_if(step: StepSpec, scope: Mapping[str, Value]) -> bool | None:
    """Whether the condition lets an instance run; None: not known yet. Raises `ExpressionError`."""
    condition = step.if_
    if not isinstance(condition, Template):
        return condition is not False
    value = evaluate(condition, scope)
    if isinstance(value, bool):
        return value
    if value is SKIPPED:
        return False
    if isinstance(value, Pending) and value.type.name in ("boolean", "any"):
        return None
    raise ExpressionError(
        NOT_A_CONDITION,
        f"`if` must give true or false; this is {type_name(value)}",
        "Compare: `… == …`, `… | length > 0`, `… is defined`.",
        condition.place,
        condition.text,
    )


def resolve(draft: RecipeDraft, step: StepDraft, base: Mapping[str, Value], context: PlanContext) -> None:
    """Fill the shapes of a step, its count, and which instance has which shape."""
    elements = step.elements
    assert elements is not None
    gatherer = _Gatherer(draft, step, base, context)
    try:
        if elements.size is not None and _differs(step):
            gatherer.each(elements.size)
        else:
            gatherer.together()
    except ExpressionError as error:
        context.report(error.problem)
        step.broken = True
        step.loose = loose_parameters(step.spec, instance_scope(base, draft, step, None), context)
        return
    if gatherer.first_has_no_previous:
        hint = "Say what the first one uses instead: `${{ previous.asset_id | default(…) }}`."
        context.error(NO_PREVIOUS, "the first instance has no `previous`", _first_previous(step.spec), hint)
    step.groups = list(gatherer.groups.values())
    step.which = gatherer.which
    for group in step.groups:
        step.count = plus(step.count, group.weight)
    step.skips += gatherer.skips(elements.count.max if elements.size is None else elements.size)
    if elements.cause and (step.count.max > 0 or elements.count.max == 0):
        step.causes.append(elements.cause)
    if step.count.max == 0:
        return
    if gatherer.unknown_if:
        step.causes.append("its `if` is decided while running")
    elif gatherer.may_be_skipped:
        step.causes.append("skipped when what it reads is skipped")


def _first_previous(step: StepSpec) -> Place | None:
    """Where the reading of it stands that has no `default()`."""
    reads = [ref for ref in references_of(step) if ref.root == "previous"]
    return next((ref.place for ref in reads if not ref.guarded), step.places.key("with"))


def loose_parameters(step: StepSpec, scope: Mapping[str, Value], context: PlanContext) -> dict[str, Any]:
    """The parameters of a step that has a wrong expression: each wrong one is told, and of any type afterwards."""

    def loose(written: Any) -> Any:
        if isinstance(written, Template):
            try:
                value = evaluate(written, scope)
            except ExpressionError as error:
                context.report(error.problem)
                return Pending()
            return Pending() if value is SKIPPED else value
        if isinstance(written, dict):
            return {key: loose(item) for key, item in written.items()}
        return [loose(item) for item in written] if isinstance(written, list) else written

    takers = step.kind == "action" and step.uses in TOLERATES_MISSING_INPUTS
    return {name: loose(value) for name, value in step.with_.items() if not (takers and name == _PER_FILE)}


class _Gatherer:
    """Works out instances and counts those that are alike."""

    def __init__(self, draft: RecipeDraft, step: StepDraft, base: Mapping[str, Value], context: PlanContext) -> None:
        self.context = context
        self.draft = draft
        self.step = step
        self.base = base
        self.groups: dict[Hashable, InstanceGroup] = {}
        self.which: array[int] | None = None
        self.unknown_if = False
        self.may_be_skipped = False  # what an instance reads may turn out to be skipped
        self.first_has_no_previous = False
        self.never: dict[str, int] = {}  # instances that are known not to run, by why
        self.reads_previous = step.spec.fans_out and any(ref.root == "previous" for ref in references_of(step.spec))

    def each(self, places: int) -> None:
        """Every place by itself; what may come beyond them is like no place in particular."""
        elements = self.step.elements
        assert elements is not None
        which = array("L", [NEVER]) * places
        for place in range(places):
            comes = elements.state_at(place)
            group = None if comes is False else self._instance(place, comes is True)
            if comes is False:
                self._skip("what it goes over is skipped")
            if group is not None:
                which[place] = self._number(group)
                group.weight = plus(group.weight, Count(int(group.sure), 1, 1))
        self.which = which
        beyond = elements.count.max - places
        if beyond > 0:
            group = self._instance(None, False)
            if group is not None:
                group.weight = plus(group.weight, Count(0, 0, beyond))

    def together(self) -> None:
        """All places are alike."""
        elements = self.step.elements
        assert elements is not None
        count, places = elements.count, elements.size
        alone = not self.step.spec.fans_out
        if count.max == 0:
            return
        if places is not None and elements.differs_by_index and not alone:
            self._mark_absent(places)
        sure = count.exact and places in (None, count.min)
        group = self._instance(0 if alone else None, sure)
        if group is None:
            self.which = None if places is None else array("L", [NEVER]) * places
            self.never = dict.fromkeys(self.never, count.max if places is None else places)
            return
        few = 0 if self.unknown_if or self.may_be_skipped else count.min
        group.weight = Count(few, count.expected, count.max)

    def _mark_absent(self, places: int) -> None:
        elements = self.step.elements
        assert elements is not None
        states = [elements.state_at(place) for place in range(places)]
        if any(state is False for state in states):
            self.which = array("L", [NEVER if state is False else 0 for state in states])

    def _instance(self, place: int | None, sure: bool) -> InstanceGroup | None:
        """The shape of one instance; None when it is known not to run."""
        step = self.step
        if step.absent:
            return None
        scope = instance_scope(self.base, self.draft, step, place)
        runs = runs_if(step.spec, scope)
        if runs is False:
            self._skip("its `if` is false")
            return None
        self.unknown_if = self.unknown_if or runs is None
        params = step_parameters(step.spec, scope, may_not_run=runs is None)
        if isinstance(params, Skipped):
            self.first_has_no_previous |= place == 0 and self.reads_previous
            self._skip("what it reads is skipped")
            return None
        if _reads_unsure(step.spec, params):
            self.may_be_skipped = True
            sure = False
        sure = sure and runs is True
        key = (sure, _likeness(step, params), self._bad_source(params))
        group = self.groups.get(key)
        if group is None:
            self.groups[key] = group = InstanceGroup(params, place, sure, NONE)
        return group

    def _bad_source(self, params: Mapping[str, Any]) -> Hashable:
        """Uploads are alike, but for those that cannot be sent."""
        source = params.get("source") if self.step.spec.uses == "upload" and self.step.spec.fans_out else None
        if not isinstance(source, str) or self.context.bad_source is None:
            return None
        return self.context.bad_source(source, self.draft.recipe)

    def _skip(self, why: str) -> None:
        self.never[why] = self.never.get(why, 0) + 1

    def skips(self, of: int) -> list[str]:
        """For people: `skipped: its `if` is false`, `1 of 3 skipped: …`."""
        if of == 0 and not (self.step.elements is not None and self.step.elements.cause):
            return ["its list is empty"]
        return [f"{'' if count >= of else f'{count} of {of} '}skipped: {why}" for why, count in self.never.items()]

    def _number(self, group: InstanceGroup) -> int:
        """Its position among the shapes; nearly always the newest or the first."""
        if len(self.groups) == 1:
            return 0
        known = self._numbers()
        return known[id(group)]

    _cache: tuple[int, dict[int, int]] = (0, {})

    def _numbers(self) -> dict[int, int]:
        size, numbers = self._cache
        if size != len(self.groups):
            numbers = {id(group): number for number, group in enumerate(self.groups.values())}
            self._cache = (len(self.groups), numbers)
        return numbers


def _differs(step: StepDraft) -> bool:
    """Whether instances can differ in what their expressions read."""
    elements = step.elements
    assert elements is not None
    if not step.spec.fans_out:
        return False
    for ref in references_of(step.spec):
        if ref.root in ("index", "origin", "previous") or (ref.root == "item" and elements.differs_by_index):
            return True
    return False


def _likeness(step: StepDraft, params: Mapping[str, Any]) -> Hashable:
    """Instances with equal likeness share a shape."""
    if step.spec.kind == "recipe":
        return frozen(dict(params))
    if step.spec.uses == "upload" and step.spec.fans_out:
        return (type(params.get("source")), guess_media(params.get("source")))  # thousands of files, one shape
    return shape_of(step.tool, params)


def _reads_unsure(step: StepSpec, params: Mapping[str, Any]) -> bool:
    """Whether a value in the parameters may turn out to be skipped. `download` and `preview` take what exists."""
    if step.kind == "action" and step.uses in TOLERATES_MISSING_INPUTS:
        return False
    return any(isinstance(leaf.on, Source) and leaf.on.unsure for leaf in pendings_in(params))


def _what_exists(value: Any) -> Any:
    if isinstance(value, list):
        return [item for item in value if item is not SKIPPED]
    return value
