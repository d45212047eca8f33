"""The plan with the cheapest model and resolution that each step may use: what that saves, what it loses, how to keep it.

Where an input says the model, another value of that input is tried; else the step itself is changed, in memory: the recipe's
file is its author's. A choice that the recipe's other parameters do not allow is passed over for the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from zenflow.app.connection.wiring import ReadOnlyConnection
from zenflow.app.planning.compare import Comparison, ModelOption, StepChoices
from zenflow.app.planning.prepare import Loaded, RecipeRequest, plan_again
from zenflow.credits import Estimate
from zenflow.errors import InvalidRecipe
from zenflow.expr.template import Template
from zenflow.plan.build import PlanRequest, check_recipe
from zenflow.plan.model import Plan
from zenflow.problems import Problems
from zenflow.recipe.inputs.bind import bind_inputs
from zenflow.recipe.model import Recipe, StepSpec

_FIELDS = ("model", "resolution")


@dataclass(frozen=True, slots=True)
class Keep:
    """How a person keeps one change: an input given on the command line, or a line to write into a step of a file."""

    field: str
    value: str
    input_name: str | None = None
    file: Path | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Switch:
    """One step made otherwise. `before` None: its calls are not all made with the same now."""

    path: str
    before: ModelOption | None
    after: ModelOption
    keep: tuple[Keep, ...]


@dataclass(frozen=True, slots=True)
class Cheapest:
    """`plan` is the whole plan with all switches; `before` what the recipe costs as it stands."""

    plan: Plan
    before: Estimate
    switches: tuple[Switch, ...]
    loaded: Loaded

    @property
    def inputs_suffice(self) -> bool:
        """Whether no line of a recipe has to be changed for it."""
        return all(keep.input_name is not None for switch in self.switches for keep in switch.keep)


async def cheapest(
    plan: Plan, comparison: Comparison, loaded: Loaded, request: RecipeRequest, to: ReadOnlyConnection
) -> Cheapest:
    """The plan made again with every switch that saves something and is allowed."""
    worker = _Switcher(plan, loaded, request, to)
    for step in comparison.steps:
        worker.try_choices(step, comparison)
    if not worker.switches:
        return Cheapest(plan, plan.credits, (), loaded)
    found = await plan_again(worker.loaded, request, plan, to)
    return Cheapest(found, plan.credits, tuple(worker.switches), worker.loaded)


class _Switcher:
    """Takes one switch after the other, each only when the recipe stays right with it."""

    def __init__(self, plan: Plan, loaded: Loaded, request: RecipeRequest, to: ReadOnlyConnection) -> None:
        self._plan, self._request, self._to = plan, request, to
        self._words: list[tuple[str, str]] = []
        self.loaded = loaded
        self.switches: list[Switch] = []

    def try_choices(self, step: StepChoices, comparison: Comparison) -> None:
        for choice in step.cheaper:
            for keep in self._ways(step, choice, comparison):
                loaded = self._with(step.path, keep)
                if loaded is not None:
                    self.loaded = loaded
                    self._words += [(one.input_name, one.value) for one in keep if one.input_name is not None]
                    self.switches.append(Switch(step.path, step.used, choice, keep))
                    return

    def _ways(self, step: StepChoices, choice: ModelOption, comparison: Comparison) -> Iterator[tuple[Keep, ...]]:
        """By way of inputs where these say it, and no step that reads them wants something else; else in the step."""
        spec = spec_of(self.loaded.recipe, step.path)
        changes = list(_changes(step, choice))
        written = tuple(_in_step(spec, name, value) for name, value in changes)
        given = [self._by_input(spec, step, name, value, comparison) for name, value in changes]
        yield tuple(one or other for one, other in zip(given, written, strict=True))
        if any(given):
            yield written

    def _by_input(
        self, spec: StepSpec, step: StepChoices, name: str, value: str, comparison: Comparison
    ) -> Keep | None:
        said_by = None if "/" in step.path else _input_of(spec, name)
        if said_by is None:
            return None
        for other in comparison.steps:
            reads = "/" not in other.path and _input_of(spec_of(self.loaded.recipe, other.path), name) == said_by
            best = other.cheapest
            if reads and (best is None or getattr(best, name) != value):
                return None
        return Keep(name, value, input_name=said_by)

    def _with(self, path: str, keep: tuple[Keep, ...]) -> Loaded | None:
        """Recipe and inputs with the change; None when they are not right any more."""
        words = [(one.input_name, one.value) for one in keep if one.input_name is not None]
        written = {one.field: one.value for one in keep if one.input_name is None}
        recipe = with_parameters(self.loaded.recipe, path, written) if written else self.loaded.recipe
        try:
            given = (*self._request.inputs, *self._words, *words)
            inputs = bind_inputs(recipe, given, self._request.current)
        except InvalidRecipe:
            return None
        problems = Problems()
        check_recipe(
            PlanRequest(
                recipe=recipe,
                inputs=inputs.values,
                server=self._plan.server,
                catalog=self._plan.catalog,
                account=self._plan.account,
                consent_nsfw=self._to.settings.allows_nsfw,
                max_overrides=self._plan.max_overrides,
            ),
            problems,
        )
        return None if problems.has_errors else Loaded(recipe, inputs)


def _changes(step: StepChoices, choice: ModelOption) -> Iterator[tuple[str, str]]:
    used = step.used
    for name in _FIELDS:
        value = getattr(choice, name)
        if value is not None and (used is None or getattr(used, name) != value):
            yield name, value


def _in_step(spec: StepSpec, name: str, value: str) -> Keep:
    place = spec.places.value("with", name) if name in spec.with_ else spec.places.key("with")
    return Keep(name, value, file=Path(place.file), line=place.line)


def _input_of(spec: StepSpec, name: str) -> str | None:
    """The input that says this parameter, where it says it alone: `${{ inputs.model }}`."""
    written = spec.with_.get(name)
    read = written.plain_reference if isinstance(written, Template) else None
    if read is None or read.root != "inputs" or len(read.path) != 1 or not isinstance(read.path[0], str):
        return None
    return read.path[0]


def spec_of(recipe: Recipe, path: str) -> StepSpec:
    """The step of a plan's path. Raises KeyError."""
    name, _, rest = path.partition("/")
    spec = recipe.steps[name]
    return spec if not rest or spec.recipe is None else spec_of(spec.recipe, rest)


def with_parameters(recipe: Recipe, path: str, written: Mapping[str, str]) -> Recipe:
    """The recipe with other parameters in one of its steps, or in a step of a recipe that it uses."""
    name, _, rest = path.partition("/")
    spec = recipe.steps[name]
    if rest and spec.recipe is not None:
        changed = replace(spec, recipe=with_parameters(spec.recipe, rest, written))
    else:
        changed = replace(spec, with_={**spec.with_, **written})
    return replace(recipe, steps={**recipe.steps, name: changed})
