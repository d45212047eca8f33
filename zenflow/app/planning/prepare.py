"""What `plan` and `run` share: read the recipe, bind its inputs, ask the service what it offers, build the plan.

Prints nothing, spends nothing, and holds nothing that could.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from zenflow.app.config.setting_specs import SANDBOX
from zenflow.app.config.settings import Settings
from zenflow.app.connection.retry import PriceQueries, with_retries
from zenflow.app.connection.wiring import ReadOnlyConnection, limits_of, open_pace
from zenflow.app.planning.input_assets import missing_assets, not_of_missing
from zenflow.app.planning.locked_schemas import schema_warnings
from zenflow.app.planning.reuse_options import ReuseOptions, needs_reuse_preview
from zenflow.app.planning.sources import recipe_source
from zenflow.app.queries.account_cache import cache_account
from zenflow.app.queries.price_cache import PriceCache, with_cache
from zenflow.catalog.model import Account, Catalog
from zenflow.catalog.outputs import usual_duration_s
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.credits import ZERO
from zenflow.errors import InvalidRecipe, UsageError
from zenflow.plan.build import PlanRequest, build_plan
from zenflow.plan.model import BudgetLine, Plan, ReuseEstimate
from zenflow.plan.pricing.price import Ask
from zenflow.problems import Problems
from zenflow.recipe.checks.sources import check_sources
from zenflow.recipe.inputs.bind import BoundInputs, Said, bind_inputs
from zenflow.recipe.inputs.sources import SourceReader, source_reader
from zenflow.recipe.load import load_recipe
from zenflow.recipe.model import Recipe
from zenflow.suggest import did_you_mean

if TYPE_CHECKING:
    from zenflow.journal.base import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeRequest:
    """Which recipe, with what; as said on the command line, in the folder `current`."""

    recipe: str
    current: Path
    inputs: tuple[Said, ...] = ()
    budget: Decimal | None = None
    maxima: Mapping[str, int] = field(default_factory=dict)
    reuse: ReuseOptions = field(default_factory=ReuseOptions)
    locked: bool = False  # refuse tools whose schema is not the one in zenflow.lock


@dataclass(frozen=True, slots=True)
class Loaded:
    recipe: Recipe
    inputs: BoundInputs


def load(request: RecipeRequest) -> Loaded:
    """Recipe and inputs; all problems of both at once, as InvalidRecipe."""
    recipe = read_recipe(request)
    check_maxima(recipe, request.maxima)
    return Loaded(recipe, bind_inputs(recipe, request.inputs, request.current))


def check_maxima(recipe: Recipe, maxima: Mapping[str, int]) -> None:
    """`--max STEP=N` names a step that fans out, by its path. Raises UsageError."""
    for path in maxima:
        inside: Recipe | None = recipe
        step = None
        for name in path.split("/"):
            step = None if inside is None else inside.steps.get(name)
            inside = None if step is None else step.recipe
        if step is None:
            known = [name for name, one in recipe.steps.items() if one.fans_out]
            hint = did_you_mean(path, known) or (f"With `foreach`: {', '.join(known)}." if known else None)
            raise UsageError("ZF059", f"`--max {path}`: `{recipe.name}` has no step `{path}`.", hint)
        if not step.fans_out:
            raise UsageError("ZF006", f"`--max {path}`: `{path}` has no `foreach`, so there is nothing to bound.")


def read_recipe(request: RecipeRequest) -> Recipe:
    problems = Problems()
    source = recipe_source(request.recipe, request.current, locked=request.locked)
    recipe = load_recipe(source.path, problems, source.tree)
    if recipe is not None:
        check_sources(recipe, problems)
    if recipe is None or problems.has_errors:
        raise InvalidRecipe(problems.in_order())
    return recipe


async def make_plan(loaded: Loaded, request: RecipeRequest, to: ReadOnlyConnection) -> Plan:
    """The plan at today's prices. Raises InvalidRecipe with all problems, ServiceError when the service says no."""
    account = await with_retries(to.provider.account, to.clock)
    cache_account(to.settings, account, to.clock.now())
    missing = await missing_assets(loaded.recipe, loaded.inputs.values, to)
    bounds, values = bounds_of(request.budget, to, account), loaded.inputs.values
    try:
        plan = await plan_for(
            loaded.recipe,
            values,
            bounds,
            request.maxima,
            to,
            account,
            options=request.reuse,
            bad_source=source_reader(loaded.recipe, values),
        )
    except InvalidRecipe as error:
        raise InvalidRecipe((*missing, *not_of_missing(error.problems, missing))) from None
    if missing:
        raise InvalidRecipe(missing)
    used = tools_of(loaded.recipe)
    found = schema_warnings(plan.catalog, used, to.settings, locked=request.locked)
    return replace(plan, warnings=(*plan.warnings, *found)) if found else plan


async def plan_again(loaded: Loaded, request: RecipeRequest, before: Plan, to: ReadOnlyConnection) -> Plan:
    """The plan of something like it: what was told for the first one is not asked again."""
    told, further = before.prices.quotes, price_source(to, 0)

    async def ask(price_requests: Sequence[PriceRequest]) -> Mapping[str, Quote]:
        new = await further([price_request for price_request in price_requests if price_request.key not in told])
        return {
            **{
                price_request.key: told[price_request.key]
                for price_request in price_requests
                if price_request.key in told
            },
            **new,
        }

    bounds = bounds_of(request.budget, to, before.account)
    values, options = loaded.inputs.values, request.reuse
    return await plan_for(loaded.recipe, values, bounds, request.maxima, to, before.account, options=options, ask=ask)


async def plan_for(
    recipe: Recipe,
    inputs: Mapping[str, object],
    bounds: tuple[BudgetLine, ...],
    maxima: Mapping[str, int],
    to: ReadOnlyConnection,
    account: Account | None,
    *,
    run_id: str = "",
    options: ReuseOptions | None = None,
    reuse_estimates: Mapping[str, ReuseEstimate] | None = None,
    ask: Ask | None = None,
    bad_source: SourceReader | None = None,
) -> Plan:
    """`make_plan` for an account that is known already, or unknown; a resume leaves its own run out of what others hold.

    `ask`: who answers about prices; left out, the service, as often as `[service] price_cache` wants.
    """
    settings = to.settings
    catalog = await catalog_for(recipe, to)
    known = None
    if options is not None and needs_reuse_preview(recipe, options):
        from zenflow.app.planning.reuse import (
            preview_reuse,  # the engine, to see ahead: only where something may be taken
        )

        account_id = "" if account is None else account.account_id
        known = await preview_reuse(recipe, inputs, maxima, options, to, account_id, catalog)
    plan_request = PlanRequest(
        recipe=recipe,
        inputs=inputs,
        server=settings.server,
        catalog=catalog,
        account=account,
        bounds=bounds,
        consent_nsfw=settings.allows_nsfw,
        max_overrides=maxima,
        durations=usual_durations(to.journal, settings, catalog),
        balance=None if account is None else account.credits,
        committed_elsewhere=ZERO if account is None else to.journal.committed_elsewhere(account.account_id, run_id),
        in_flight=limits_of(settings).in_flight,
        bad_source=bad_source,
        reuse=None if known is None else known.reuse,
        reuse_estimates=known.seen.by_path() if known is not None else reuse_estimates or {},
        preview_reuse=None if known is None else lambda most: known.again(most).by_path(),
    )
    return await build_plan(plan_request, ask or price_source(to, settings.value("service.price_cache")))


def price_source(to: ReadOnlyConnection, seconds: float) -> Ask:
    """Asks the service for every price that was not told within so many seconds, and remembers what it tells."""
    asker = PriceQueries(to.provider, to.clock, limits_of(to.settings).requests_per_second, open_pace(to.settings))
    return with_cache(asker, PriceCache.of(to.settings), to.clock, seconds)


async def catalog_for(recipe: Recipe, to: ReadOnlyConnection) -> Catalog:
    """What the service offers, with the schemas of the recipe's tools."""
    return await with_retries(lambda: to.provider.catalog(sorted(set(tools_of(recipe)))), to.clock)


def tools_of(recipe: Recipe) -> Iterator[str]:
    """Every generation tool that it uses or wants a prompt for, those of inner recipes included."""
    for step in recipe.steps.values():
        if step.kind == "tool":
            yield step.uses
        prompts_for = step.with_.get("tool_name") if step.uses == "craft_prompt" else None
        if type(prompts_for) is str:
            yield prompts_for  # its models are checked, though nothing may be made with it here
        if step.recipe is not None:
            yield from tools_of(step.recipe)


def bounds_of(budget: Decimal | None, to: ReadOnlyConnection, account: Account | None) -> tuple[BudgetLine, ...]:
    """Every cap beside the recipe's own, each with where it comes from."""
    settings = to.settings
    bounds = [] if budget is None else [BudgetLine(budget, "--budget")]
    if settings.per_run is not None:
        bounds.append(BudgetLine(settings.per_run, origin_of(settings, "budget.per_run")))
    if settings.per_day is not None and account is not None:
        today = to.clock.now().date().isoformat()
        left = max(ZERO, settings.per_day - to.journal.committed_on(account.account_id, today))
        bounds.append(BudgetLine(left, f"left of {origin_of(settings, 'budget.per_day')}"))
    return tuple(bounds)


def usual_durations(
    journal: Journal, settings: Settings, catalog: Catalog
) -> Callable[[str, str | None], float | None]:
    """How long a tool usually takes on this server, as far as this journal has seen it; the embedded sandbox is fast."""
    embedded = settings.server == SANDBOX

    def usual(tool: str, model: str | None) -> float | None:
        seen = journal.durations(settings.server, tool, model or "")
        if seen:
            from statistics import median  # 4 ms, with fractions and random: many a plan has seen nothing

            return median(seen)
        return usual_duration_s(catalog.tools.get(tool, tool), model) / max(1.0, settings.speed) if embedded else None

    return usual


def origin_of(settings: Settings, key: str) -> str:
    """What a setting is called, by where it stands: `[budget] per_run`, or the name in the environment."""
    origin = settings.by_key[key].origin
    return f"[{key.replace('.', '] ')}" if origin.startswith("zenflow.toml") else origin
