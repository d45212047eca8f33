"""What the names of a recipe stand for before anything runs: `Pending` answers that carry types.

Evaluating a template over this scope is its type check. Knows the actions' results, not the tools': a tool gives what
every generation tool gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.failure import WRONG_KIND, Failure
from zenflow.expr.template import Template
from zenflow.expr.tree import evaluate_tree
from zenflow.expr.types import element_of, join, type_of
from zenflow.expr.values import ANY, INTEGER, STRING, Pending, Type, Unknown, Value
from zenflow.recipe.actions import ACTION_RESULTS, TOLERATES_MISSING_INPUTS, TOOL_RESULTS
from zenflow.recipe.model import ACTIONS, Recipe, StepSpec
from zenflow.recipe.schema.values import type_from_schema

BARE_STEP = "ZF324"
NO_INSTANCES = "ZF325"
Fields = Mapping[str, Type]


@dataclass(frozen=True, slots=True)
class Record:
    """A name with fields of known types. `usable`: it may stand as a value itself, an object with these fields."""

    of: str
    fields: Fields
    usable: bool = True
    foreign: bool = False  # nothing is known of it: any field may be there

    def get(self, key: str | int) -> Value:
        if self.foreign:
            return Pending(self.of)
        if key not in self.fields:
            raise Unknown(key, list(self.fields), self.of)
        return Pending(self.of, self.fields[str(key)])

    def value(self) -> Value:
        if not self.usable:
            raise _bare(self.of, self.fields)
        return Pending(self.of, Type("object", fields=None if self.foreign else self.fields))

    def keys(self) -> Sequence[str]:
        return list(self.fields)


def _bare(of: str, fields: Fields) -> Failure:
    listing = ", ".join(f"`.{name}`" for name in fields)
    return Failure(BARE_STEP, f"{of} is a step, and here a value is needed", f"Name one of its results: {listing}.")


@dataclass(frozen=True, slots=True)
class Step:
    """`steps.ID`: with `foreach`, fields are lists over all instances, and `[i]` is one instance (rule 20)."""

    step_id: str
    fields: Fields
    fans_out: bool
    foreign: bool = False

    @property
    def of(self) -> str:
        return f"`steps.{self.step_id}`"

    def get(self, key: str | int) -> Value:
        if self.foreign:
            return Pending(self.of)
        if type(key) is int:
            if not self.fans_out:
                raise Failure(
                    NO_INSTANCES, f"{self.of} has no `foreach`, and so no instance {key}", "Leave out the `[ ]`."
                )
            return Record(f"one instance of {self.of}", self.fields)
        if key not in self.fields:
            raise Unknown(key, list(self.fields), self.of)
        known = self.fields[str(key)]
        if not self.fans_out:
            return Pending(self.of, known)
        return Pending(self.of, Type("array", items=element_of(known) if known.name == "array" else known))

    def value(self) -> Value:
        if self.foreign:
            return Pending(self.of)
        raise _bare(self.of, self.fields)

    def keys(self) -> Sequence[str]:
        return list(self.fields)


@dataclass(frozen=True, slots=True)
class Names:
    """A table of names: `inputs`, `steps`, `origin`."""

    of: str
    table: Mapping[str, Value]

    def get(self, key: str | int) -> Value:
        if key not in self.table:
            raise Unknown(key, list(self.table), self.of)
        return self.table[str(key)]

    def value(self) -> Value:
        raise Failure(
            WRONG_KIND,
            f"{self.of} holds names, and here a value is needed",
            f"Name one: {', '.join(f'`.{name}`' for name in list(self.table)[:20])}.",
        )

    def keys(self) -> Sequence[str]:
        return list(self.table)


class StaticScopes:
    """The scopes of one recipe, one for each place where expressions stand."""

    def __init__(self, recipe: Recipe, step_ids: Sequence[str]) -> None:
        self.recipe = recipe
        inputs: dict[str, Value] = {
            name: Pending(f"input {name}", type_from_schema(spec.schema)) for name, spec in recipe.inputs.items()
        }
        steps: dict[str, Value] = {}
        for step_id in step_ids:
            spec = recipe.steps.get(step_id)
            fields = None if spec is None else results_of(spec)
            fans_out = spec is not None and spec.fans_out
            steps[step_id] = Step(step_id, fields or {}, fans_out, foreign=fields is None)
        self.base: dict[str, Value] = {
            "inputs": Names("`inputs`", inputs),
            "steps": Names("`steps`", steps),
            "recipe": {"name": recipe.name, "version": recipe.version},
        }
        self.run = Record("`run`", {"id": STRING, "started_at": STRING})
        self._instances: dict[str, dict[str, Value]] = {}

    def of_recipe(self) -> Mapping[str, Value]:
        """For `foreach`, `max`, `budget`."""
        return self.base

    def of_outputs(self) -> Mapping[str, Value]:
        return {**self.base, "run": self.run}

    def of_instance(self, step: StepSpec) -> Mapping[str, Value]:
        """For `with` and `if`; one for all instances."""
        if not step.fans_out and step.uses not in TOLERATES_MISSING_INPUTS:
            return self.base
        known = self._instances.get(step.id)
        if known is None:
            known = self._instances[step.id] = self._instance(step)
        return known

    def _instance(self, step: StepSpec) -> dict[str, Value]:
        scope: dict[str, Value] = dict(self.base)
        if step.fans_out:
            scope["item"] = self._item(step)
            scope["index"] = Pending("the instance", INTEGER)
            results = results_of(step)
            scope["previous"] = Record("`previous`", results or {}, foreign=results is None)
        scope["origin"] = StaticOrigin(self, step)
        if step.uses in TOLERATES_MISSING_INPUTS:
            scope["index"] = Pending("the file", INTEGER)
            scope["run"] = self.run
        return scope

    def _item(self, step: StepSpec) -> Value:
        source = iterated_step(step)
        if source is not None and source[1] is None:
            spec = self.recipe.steps.get(source[0])
            results = None if spec is None else results_of(spec)
            return Record("`item`", results or {}, foreign=results is None)
        if type(step.foreach) is dict:
            fields = {name: self._element(values) for name, values in step.foreach.items()}
            return Pending("the instance", Type("object", fields=fields))
        return Pending("the instance", self._element(step.foreach))

    def _element(self, values: Any) -> Type:
        try:
            if isinstance(values, Template):
                return element_of(type_of(evaluate(values, self.base)))
            return join(map(type_of, evaluate_tree(values, self.base))) if values else ANY
        except ExpressionError:
            return ANY  # reported where it stands

    def origin(self, step_id: str) -> Record:
        """The one instance of a step that another came from."""
        spec = self.recipe.steps.get(step_id)
        results = None if spec is None else results_of(spec)
        of = f"`origin.{step_id}`"
        if spec is None or results is None:
            return Record(of, {}, foreign=True)
        fields = dict(results)
        if spec.fans_out:
            fields.update(item=_known(self._item(spec)), index=INTEGER)
        return Record(of, fields)


@dataclass(frozen=True, slots=True)
class StaticOrigin:
    """`origin`: which steps it can name is worked out only where one is asked for, as a chain may be long."""

    scopes: StaticScopes
    step: StepSpec

    def get(self, key: str | int) -> Value:
        known = self.keys()
        if key not in known:
            raise Unknown(key, known, "`origin`")
        return self.scopes.origin(str(key))

    def value(self) -> Value:
        raise Failure(WRONG_KIND, "`origin` holds steps, and here a value is needed", "As in `origin.STEP.item`.")

    def keys(self) -> Sequence[str]:
        return origins_of(self.scopes.recipe, self.step)


def _known(value: Any) -> Type:
    return type_of(value.value()) if isinstance(value, Record) else type_of(value)


def results_of(step: StepSpec) -> Fields | None:
    """What one instance of a step gives; None when that is not known."""
    if step.uses in ACTIONS:
        return ACTION_RESULTS[step.uses]
    if step.kind == "tool":
        return TOOL_RESULTS if step.uses else None
    return None if step.recipe is None else output_types(step.recipe)


def output_types(recipe: Recipe) -> Fields:
    """What a recipe gives when it is used as a step."""
    scope = StaticScopes(recipe, list(recipe.steps)).of_outputs()
    types = {}
    for name, value in recipe.outputs.items():
        try:
            types[name] = type_of(evaluate_tree(value, scope))
        except ExpressionError:
            types[name] = ANY
    return types


def iterated_step(step: StepSpec) -> tuple[str, str | None] | None:
    """`(ID, None)` where `foreach` is `steps.ID`, `(ID, FIELD)` where it is `steps.ID.FIELD`, else None."""
    return _plain_step(step.foreach)


def _plain_step(value: Any) -> tuple[str, str | None] | None:
    read = value.plain_reference if isinstance(value, Template) else None
    if read is None or read.root != "steps" or not 1 <= len(read.path) <= 2:
        return None
    if not all(type(key) is str for key in read.path):
        return None
    return str(read.path[0]), str(read.path[1]) if len(read.path) == 2 else None


def origins_of(recipe: Recipe, step: StepSpec) -> list[str]:
    """The steps that `origin.` can name in a step, nearest first (rule 17)."""
    source = iterated_step(step)
    if source is None and not step.fans_out and step.uses in TOLERATES_MISSING_INPUTS:
        source = _plain_step(step.with_.get("asset_ids", step.with_.get("asset_id")))
    found: dict[str, None] = {}
    while source is not None and source[0] not in found:
        found[source[0]] = None
        spec = recipe.steps.get(source[0])
        source = None if spec is None else iterated_step(spec)
    return list(found)
