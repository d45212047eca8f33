"""The names of an expression, answered before anything runs: known values, `Pending` ones with their type, or skipped.

The engine answers the same names from its books. `Lists` says how lists answer whose length nobody knows yet: pending,
or, to count what a `foreach` over an expression would give, as long as asked for, or as long as they can become.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from zenflow.expr.failure import Missing
from zenflow.expr.limits import MAX_ELEMENTS
from zenflow.expr.types import join, type_of
from zenflow.expr.values import ANY, INTEGER, SKIPPED, STRING, Pending, Type, Unknown, Value
from zenflow.plan.analysis.draft import RecipeDraft, Source, StepDraft
from zenflow.recipe.model import Recipe
from zenflow.suggest import Patience


class Lists(Enum):
    """How lists answer whose length is not known yet."""

    PENDING = "pending"
    EXPECTED = "expected"
    WORST = "worst"


def scope_of(draft: RecipeDraft, lists: Lists = Lists.PENDING) -> dict[str, Value]:
    """The names that every expression of a recipe may use (rule 14)."""
    recipe = draft.recipe
    return {
        "inputs": InputsLookup(recipe, draft.inputs, lists),
        "steps": PlannedStepsLookup(draft, lists),
        "recipe": {"name": recipe.name, "version": recipe.version},
    }


def instance_scope(
    base: Mapping[str, Value], draft: RecipeDraft, step: StepDraft, place: int | None
) -> Mapping[str, Value]:
    """The same with the names of one instance. `place` None: of no instance in particular."""
    elements = step.elements
    if step.spec.fans_out and elements is not None:
        scope = dict(base)
        scope["item"] = elements.item_at(place)
        scope["index"] = Pending(Source("index"), INTEGER) if place is None else place
        scope["origin"] = PlannedOriginLookup(draft, step, place)
        scope["previous"] = PlannedPreviousLookup(step, place)
        return scope
    return base


RUN: Mapping[str, Value] = {
    "id": Pending(Source("run.id"), STRING),
    "started_at": Pending(Source("run.started_at"), STRING),
}


def no_instance(step_id: str, index: int, count: int) -> Missing:
    """`default()` answers for it, as for an element that a list does not have."""
    hint = f"They are counted from 0 to {count - 1}." if count else "Give a value for this case: `… | default(…)`."
    return Missing(f"there is no instance {index} of `{step_id}`: it has {count}", hint)


class InputsLookup:
    """`inputs.NAME`: what was given, else the default, else pending with the declared type and length."""

    __slots__ = ("_lists", "_patience", "_recipe", "_values")

    def __init__(self, recipe: Recipe, values: Mapping[str, Value], lists: Lists = Lists.PENDING) -> None:
        self._recipe = recipe
        self._values = values
        self._lists = lists
        self._patience = Patience()

    def get(self, key: str | int) -> Value:
        return _as_long(self._ask(key), self._lists)

    def _ask(self, key: str | int) -> Value:
        if key in self._values:
            return self._values[str(key)]
        spec = self._recipe.inputs.get(str(key))
        if spec is None:
            raise Unknown(key, self.keys() if self._patience.allows(len(self._recipe.inputs)) else (), "inputs")
        if spec.required:
            # Of whoever validates only: a plan has its inputs, and knows how long they are.
            fewest, most = spec.schema.get("minItems", 0), spec.schema.get("maxItems", MAX_ELEMENTS)
            return Pending(Source(f"inputs.{key}", fewest, max(fewest, 1), most), input_type(spec.schema))
        default: Value = spec.default
        return default

    def value(self) -> Value:
        return {name: self.get(name) for name in self._recipe.inputs}

    def keys(self) -> Sequence[str]:
        return tuple(self._recipe.inputs)


class PlannedStepsLookup:
    """`steps.ID`."""

    __slots__ = ("_draft", "_found", "_lists", "_patience")

    def __init__(self, draft: RecipeDraft, lists: Lists) -> None:
        self._draft = draft
        self._lists = lists
        self._found: dict[str | int, StepLookup] = {}
        self._patience = Patience()

    def get(self, key: str | int) -> Value:
        found = self._found.get(key)
        if found is not None:
            return found
        step = self._draft.steps.get(str(key))
        if step is None:
            if key in self._draft.recipe.steps:
                return Pending(Source(f"steps.{key}"))  # on a cycle, which is a problem of its own
            known = self.keys() if self._patience.allows(len(self._draft.recipe.steps)) else ()
            raise Unknown(key, known, "steps")
        self._found[key] = lookup = StepLookup(step, self._lists)
        return lookup

    def value(self) -> Value:
        raise Unknown("value", self.keys(), "steps")

    def keys(self) -> Sequence[str]:
        return tuple(self._draft.recipe.steps)


class StepLookup:
    """`steps.ID`: its results, or of a fan-out lists of them, and `[i]` for one instance (rule 20)."""

    __slots__ = ("_lists", "_step")

    def __init__(self, step: StepDraft, lists: Lists) -> None:
        self._step = step
        self._lists = lists

    def get(self, key: str | int) -> Value:
        step = self._step
        if step.broken:
            return Pending(Source(f"steps.{step.spec.id}.{key}"))
        if not step.spec.fans_out:
            value = InstanceLookup(step, None).get(key)
            return _as_long(value, self._lists)
        if isinstance(key, int):
            return self._one(key)
        if key not in step.kinds:
            raise Unknown(key, self.keys(), f"steps.{step.spec.id}")
        return _as_long(list_of(step, key), self._lists)

    def _one(self, key: int) -> Value:
        """One instance. Of a list of known length, one that it does not have is told here and not when others are paid."""
        step, places = self._step, self._step.size
        bounded = step.fanout.streams or step.spec.max is not None
        if places is not None and not bounded and not -places <= key < places:
            raise no_instance(step.spec.id, key, places)
        return InstanceLookup(step, key + places if key < 0 and places is not None else key)

    def value(self) -> Value:
        return Pending(Source(f"steps.{self._step.spec.id}"), Type("object", fields=dict(self._step.kinds)))

    def keys(self) -> Sequence[str]:
        return tuple(self._step.kinds)


class InstanceLookup:
    """The results of one instance; of a skipped one, all are skipped."""

    __slots__ = ("_place", "_step")

    def __init__(self, step: StepDraft, place: int | None) -> None:
        self._step = step
        self._place = place

    def get(self, key: str | int) -> Value:
        step = self._step
        if step.broken:
            return Pending(Source(f"steps.{step.spec.id}.{key}"))
        if key not in step.kinds:
            raise Unknown(key, self.keys(), f"steps.{step.spec.id}")
        group = step.group_at(self._place)
        if group is None:
            return SKIPPED
        return group.results[str(key)] if key in group.results else Pending(Source(f"steps.{step.spec.id}.{key}"))

    def value(self) -> Value:
        if self._step.group_at(self._place) is None and not self._step.broken:
            return SKIPPED
        return Pending(Source(f"steps.{self._step.spec.id}"), Type("object", fields=dict(self._step.kinds)))

    def keys(self) -> Sequence[str]:
        return tuple(self._step.kinds)


class PlannedOriginLookup:
    """`origin.ID` (rule 17): back through the steps that this instance comes from."""

    __slots__ = ("_draft", "_place", "_step")

    def __init__(self, draft: RecipeDraft, step: StepDraft, place: int | None) -> None:
        self._draft = draft
        self._step = step
        self._place = place

    def get(self, key: str | int) -> Value:
        step, place = self._step, self._place
        while step.fanout.streams:
            source = self._draft.steps.get(str(step.fanout.source))
            if source is None or step.elements is None:
                return Pending(Source(f"origin.{key}"))
            place = None if place is None else step.elements.parent_at(place)
            if source.spec.id == key:
                return OriginInstance(source, place)
            step = source
        raise Unknown(key, self.keys(), "origin")

    def value(self) -> Value:
        raise Unknown("value", self.keys(), "origin")

    def keys(self) -> Sequence[str]:
        names, step = [], self._step
        while step.fanout.streams and step.fanout.source in self._draft.steps:
            step = self._draft.steps[str(step.fanout.source)]
            names.append(step.spec.id)
        return tuple(names)


class OriginInstance:
    """One instance with what it was made from: `.item` and `.index` beside its results."""

    __slots__ = ("_place", "_step")

    def __init__(self, step: StepDraft, place: int | None) -> None:
        self._step = step
        self._place = place

    def get(self, key: str | int) -> Value:
        step = self._step
        if key == "index" and step.spec.fans_out:
            return Pending(Source("index"), INTEGER) if self._place is None else self._place
        if key == "item" and step.spec.fans_out and step.elements is not None:
            return step.elements.item_at(self._place)
        return InstanceLookup(step, self._place).get(key)

    def value(self) -> Value:
        return InstanceLookup(self._step, self._place).value()

    def keys(self) -> Sequence[str]:
        own = ("item", "index") if self._step.spec.fans_out else ()
        return (*own, *self._step.kinds)


class PlannedPreviousLookup:
    """`previous` (rule 18): nothing before the first."""

    __slots__ = ("_place", "_step")

    def __init__(self, step: StepDraft, place: int | None) -> None:
        self._step = step
        self._place = place

    def get(self, key: str | int) -> Value:
        if key not in self._step.kinds:
            raise Unknown(key, self.keys(), "previous")
        if self._place == 0:
            return SKIPPED
        return Pending(Source(f"previous.{key}"), self._step.kinds[str(key)])

    def value(self) -> Value:
        return (
            SKIPPED if self._place == 0 else Pending(Source("previous"), Type("object", fields=dict(self._step.kinds)))
        )

    def keys(self) -> Sequence[str]:
        return tuple(self._step.kinds)


def list_of(step: StepDraft, field: str) -> Value:
    """`steps.ID.FIELD` of a fan-out: spliced one level, of a length that is known only when every part of it is."""
    low = expected = 0
    most: int | None = 0
    kinds: list[Type] = []
    for group in step.groups:
        value = group.results.get(field, Pending())
        few, some, many = length_of(value)
        low += group.weight.min * few
        expected += group.weight.expected * some
        most = None if most is None or many is None else most + group.weight.max * many
        known = type_of(value)
        kinds.append((known.items or ANY) if known.name == "array" else known)
    if not step.groups:
        known = step.kinds[field]
        kinds.append((known.items or ANY) if known.name == "array" else known)
    whole = _known_list(step, field)
    if whole is not None:
        return whole
    if step.spec.on_error == "continue":
        low = 0  # failed ones are left out; otherwise a failure blocks the reader
    source = Source(f"steps.{step.spec.id}.{field}", low, expected, most)
    grows = step.fanout.streams or step.spec.max is not None  # a resume may let it have more
    exact = low if low == expected == most else None
    return Pending(source, Type("array", items=join(kinds), count=exact, most=None if grows else most))


def length_of(value: Value) -> tuple[int, int, int | None]:
    """How many elements a result adds to a list: fewest, as asked for, most."""
    if isinstance(value, list):
        return (len(value),) * 3
    if not isinstance(value, Pending) or value.type.name != "array":
        return (1, 1, 1)
    if value.type.count is not None:
        return (value.type.count,) * 3
    source = value.on
    if isinstance(source, Source) and source.expected is not None:
        return (source.low, source.expected, source.most)
    return (0, 1, None)


def _known_list(step: StepDraft, field: str) -> list[Any] | None:
    """The list itself, where every instance is sure and its result known."""
    places = step.size
    if places is None or not step.groups or not all(group.sure for group in step.groups):
        return None
    if any(not isinstance(group.results.get(field), (str, int, float, bool, list)) for group in step.groups):
        return None
    found: list[Any] = []
    for place in range(places):
        group = step.group_at(place)
        if group is not None:
            value = group.results[field]
            found += value if isinstance(value, list) else [value]
    return found


def _as_long(value: Value, lists: Lists) -> Value:
    """A pending list as a list of pending elements, where the question is how many there would be."""
    if lists is Lists.PENDING or not isinstance(value, Pending) or value.type.name != "array":
        return value
    _, expected, most = length_of(value)
    length = expected if lists is Lists.EXPECTED else most
    if length is None or not isinstance(value.on, Source):
        return value
    return [Pending(value.on, value.type.items or ANY)] * length


_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object", "image", "video", "audio"})


def input_type(schema: Mapping[str, Any]) -> Type:
    """The type of an input's schema (rule 6), at any depth."""
    name = schema.get("type")
    if name not in _TYPES:
        return ANY
    if name == "array":
        items = schema.get("items")
        most = schema.get("maxItems")
        known = input_type(items) if isinstance(items, Mapping) else ANY
        return Type("array", items=known, most=most if isinstance(most, int) else None)
    if name == "object" and isinstance(schema.get("properties"), Mapping):
        return Type("object", fields={key: input_type(one) for key, one in schema["properties"].items()})
    return Type(str(name))
