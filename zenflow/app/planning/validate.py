"""Is this recipe right? Everything that can be known without a price, all at once, with its place.

Asks the service for its tools when a live one is named and answers; the sandbox's tools are known from the snapshot, so
that nothing needs to be started.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zenflow.app.config.setting_specs import SANDBOX
from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.app.planning.derived_problems import ErrorPlaces, drop_derived_problems
from zenflow.app.planning.prepare import Loaded, RecipeRequest, load, origin_of, tools_of
from zenflow.app.planning.sources import RecipeSource, recipe_source
from zenflow.app.queries.price_cache import PriceCache
from zenflow.catalog.model import Account, Catalog
from zenflow.catalog.snapshot import read_snapshot
from zenflow.clock import Clock
from zenflow.credits import ZERO
from zenflow.errors import InvalidRecipe, status_of
from zenflow.expr.values import Pending, Type
from zenflow.plan.build import PlanRequest, check_recipe
from zenflow.plan.model import BudgetLine
from zenflow.plan.pricing.minimum_cost import KnownPrices
from zenflow.problems import Problem, Problems
from zenflow.providers.base import ServiceError
from zenflow.recipe.checks.sources import check_sources
from zenflow.recipe.inputs.bind import bind_inputs
from zenflow.recipe.inputs.sources import source_reader
from zenflow.recipe.load import collector_paused, load_draft
from zenflow.recipe.model import Recipe

FIRST_OF_PARAMETERS = "ZF22"  # codes below it are of the text and of the recipe's structure
BAD_DEFAULT = "ZF213"
CYCLE_IN_RECIPE, CYCLE_IN_PLAN = "ZF323", "ZF350"


@dataclass(frozen=True, slots=True)
class Validation:
    """What was found. `checked_against` names whose tools the parameters were compared with."""

    path: str
    recipe: Recipe | None
    problems: tuple[Problem, ...]
    checked_against: str
    note: str = ""  # what a person should know of how it was checked

    @property
    def is_valid(self) -> bool:
        return self.status == 0

    @property
    def status(self) -> int:
        return status_of(self.problems)


async def validate(request: RecipeRequest, settings: Settings, *, complete: bool = False) -> Validation:
    """All problems of one recipe. `complete`: its inputs have to be there too. Raises UsageError when there is no recipe."""
    source = recipe_source(request.recipe, request.current, locked=request.locked)
    with collector_paused():  # over all of it: the tree is alive until the end, and walking it frees nothing
        return await _validate(source, request, settings, complete=complete)


async def _validate(source: RecipeSource, request: RecipeRequest, settings: Settings, *, complete: bool) -> Validation:
    problems, name = Problems(), source.name
    recipe = load_draft(source.path, problems, source.tree)
    if recipe is None:
        return Validation(name, None, problems.in_order(), settings.server)
    check_sources(recipe, problems)
    inputs = _with_invalid_steps(_inputs(recipe, request, problems, complete), recipe, problems)
    catalog, account, note = await _tools(recipe, settings)
    further = Problems()
    invalid_steps = find_invalid_steps(recipe, problems)
    known = _known_prices(catalog, is_asked=not note, settings=settings)
    check_recipe(_plan_request(recipe, inputs, catalog, account, settings), further, invalid_steps, known)
    problems.extend(_not_told_yet(further, problems))
    return Validation(name, recipe, drop_derived_problems(problems, recipe, invalid_steps), catalog.server, note)


async def load_or_raise(request: RecipeRequest, settings: Settings) -> Loaded:
    """Recipe and inputs for a plan. Raises InvalidRecipe with everything that is wrong: text, inputs, tools, policy."""
    try:
        return load(request)
    except InvalidRecipe:
        found = await validate(request, settings, complete=True)
        if found.is_valid:  # mended between the two readings
            return load(request)
        raise InvalidRecipe(found.problems) from None


def find_invalid_steps(recipe: Recipe, problems: Problems) -> frozenset[str]:
    """The steps whose own form is wrong: what could be said of the rest of them would mislead."""
    if not any(one.severity == "error" and one.code < FIRST_OF_PARAMETERS for one in problems):
        return frozenset()
    starts = sorted((recipe.places.key("steps", step_id).line, step_id) for step_id in recipe.steps)
    file = recipe.places.root.file
    found: set[str] = set()
    for problem in problems:
        if problem.severity != "error" or problem.code >= FIRST_OF_PARAMETERS or problem.place is None:
            continue
        if problem.place.file != file:  # in a recipe that it uses
            found.update(step_id for step_id, spec in recipe.steps.items() if spec.kind == "recipe")
            continue
        at = bisect_right(starts, (problem.place.line, "\U0010ffff"))
        line = starts[at - 1][0] if at else 0
        found.update(step_id for start, step_id in starts if start == line)
    return frozenset(found)


def _not_told_yet(further: Problems, told: Problems) -> list[Problem]:
    """Of one place, and of cycles, the first finding is enough: later ones follow from it."""
    places = ErrorPlaces(told)
    has_cycle = any(problem.code == CYCLE_IN_RECIPE for problem in told)
    return [p for p in further if not places.within(p.place) and not (has_cycle and p.code == CYCLE_IN_PLAN)]


def _inputs(recipe: Recipe, request: RecipeRequest, problems: Problems, complete: bool) -> Mapping[str, Any]:
    """What was given is checked; what was not is not known yet: a recipe is right without its inputs."""
    if complete or request.inputs:
        try:
            return bind_inputs(recipe, request.inputs, request.current).values
        except InvalidRecipe as error:
            problems.extend(error.problems)
    given = {one[0] for one in request.inputs if not isinstance(one, Path)}
    if len(given) < len(request.inputs):  # a file of inputs may hold any of them
        given = set(recipe.inputs)
    refused = {name: Pending(name, Type(recipe.inputs[name].type)) for name in given & set(recipe.inputs)}
    defaults = {name: spec.default for name, spec in recipe.inputs.items() if not spec.required}
    return {**defaults, **refused} if problems.has_errors else defaults


def _with_invalid_steps(inputs: Mapping[str, Any], recipe: Recipe, problems: Problems) -> Mapping[str, Any]:
    """An input whose own default does not fit it: told, and of its type for everything that reads it."""
    places = {problem.place for problem in problems if problem.code == BAD_DEFAULT}
    bad = [name for name, spec in recipe.inputs.items() if spec.places.value("default") in places]
    return {**inputs, **{name: Pending(name, Type(recipe.inputs[name].type)) for name in bad}}


async def _tools(recipe: Recipe, settings: Settings) -> tuple[Catalog, Account | None, str]:
    if settings.server == SANDBOX:
        return read_snapshot(), None, ""
    clock: Clock = wiring.clock()
    try:
        async with wiring.open_provider(settings, clock) as provider:
            account = await with_retries(provider.account, clock)
            return await with_retries(lambda: provider.catalog(sorted(set(tools_of(recipe)))), clock), account, ""
    except ServiceError as error:
        note = f"{settings.server} could not be asked ({error.message}); checked against the snapshot of the sandbox."
        return read_snapshot(), None, note


def _known_prices(catalog: Catalog, *, is_asked: bool, settings: Settings) -> KnownPrices:
    """The sandbox's tools come with this version, and so do its prices; of another server, what it told this workspace."""
    if settings.server == SANDBOX:
        return KnownPrices(stand=True)
    told = PriceCache.of(settings)
    return KnownPrices(rows=is_asked, rows_of=catalog.taken_at, told=lambda price_request: told.find(price_request.key))


def _plan_request(
    recipe: Recipe, inputs: Mapping[str, Any], catalog: Catalog, account: Account | None, settings: Settings
) -> PlanRequest:
    return PlanRequest(
        recipe=recipe,
        inputs=inputs,
        server=settings.server,
        catalog=catalog,
        account=account,
        bounds=()
        if settings.per_run is None
        else (BudgetLine(settings.per_run, origin_of(settings, "budget.per_run")),),
        consent_nsfw=settings.allows_nsfw,
        max_overrides={},
        durations=lambda tool, model: None,
        balance=None if account is None else account.credits,
        committed_elsewhere=ZERO,
        bad_source=source_reader(recipe, inputs),
    )
