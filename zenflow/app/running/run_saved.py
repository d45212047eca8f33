"""A run of exactly a saved plan: nothing is asked, and nothing is done when anything it stands on moved.

What moved is named: which file, which input, which schema, which price from what to what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.config.trust import Claim
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.app.connection.trust import claims_of, ensure_trusted
from zenflow.app.connection.wiring import ReadOnlyConnection
from zenflow.app.planning.plan_file import claims_of_plan, fact_of, is_own_plan, keep_plan, read_plan, stale, word_of
from zenflow.app.planning.prepare import Loaded, bounds_of, plan_for, price_source
from zenflow.app.planning.reuse_options import reuse_options_from
from zenflow.app.planning.sources import local_source, recorded_source
from zenflow.app.running.picks import check_picks
from zenflow.app.running.run import Agree, RunCallbacks, RunRequest, begin_and_execute
from zenflow.engine.model.report import RunReport
from zenflow.errors import UsageError
from zenflow.plan.model import BudgetLine, Plan
from zenflow.plan.output.plan_file import (
    FileFact,
    Moved,
    SavedPlan,
    is_hidden,
    kept_value,
    moved_files,
    moved_recipe,
    moved_world,
)
from zenflow.problems import Problems
from zenflow.recipe.inputs.bind import BoundInputs, bind_inputs
from zenflow.recipe.load import load_recipe
from zenflow.recipe.model import Recipe
from zenflow.recipe.origins import origins_of
from zenflow.report.verdict import refusal_of

GIVE_AGAIN = "ZF063"
_ORIGIN = "the saved plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRunRequest:
    """`inputs`: only those of which the plan holds a digest."""

    file: Path
    current: Path
    inputs: tuple[tuple[str, str], ...] = ()
    out: Path | None = None
    strict: bool = False  # refuse a plan that may stop
    picks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


async def run_saved(request: SavedRunRequest, settings: Settings, agree: Agree, callbacks: RunCallbacks) -> RunReport:
    """Exactly that plan. Raises Refused that names what moved."""
    file = request.current / request.file
    saved = read_plan(file)
    settings = _on_its_server(saved, settings)
    loaded = _loaded(saved, request)
    ensure_trusted(settings, claims_of_plan(saved, file, loaded.inputs.named_paths, settings))
    check_picks(loaded.recipe, request.picks)
    async with wiring.connect(settings) as to:
        plan, now = await _made_again(saved, loaded, to)
        _refuse_moved(list(moved_world(saved, now)))
        refused = refusal_of(plan, strict=request.strict)
        if refused is not None:
            refused.facts = {**refused.facts, "plan": plan}
            raise refused
        agree(plan)
        asked = RunRequest(
            recipe=saved.recipe_path,
            current=request.current,
            maxima=saved.maxima,
            out=request.out,
            picks=request.picks,
            labels=request.labels,
        )
        return await begin_and_execute(plan, loaded, asked, to, callbacks)


def is_own_file(request: SavedRunRequest, settings: Settings) -> bool:
    """Whether the operator's own zenflow saved that plan. Raises UsageError."""
    return is_own_plan(read_plan(request.current / request.file), settings)


def claims_of_file(file: Path, settings: Settings) -> list[Claim]:
    """What a run of a saved plan would have to be trusted for. Raises UsageError, Refused for a plan that moved."""
    saved = read_plan(file)
    loaded = _loaded(saved, SavedRunRequest(file=file, current=file.parent))
    settings = _on_its_server(saved, settings)
    asked = [*claims_of(settings), *claims_of_plan(saved, file, loaded.inputs.named_paths, settings)]
    return settings.trust.missing(asked)


async def _made_again(saved: SavedPlan, loaded: Loaded, to: ReadOnlyConnection) -> tuple[Plan, SavedPlan]:
    account = await with_retries(to.provider.account, to.clock)
    bounds = (BudgetLine(saved.budget, _ORIGIN), *bounds_of(None, to, account))
    options = reuse_options_from(saved.reuse)
    plan = await plan_for(
        loaded.recipe,
        loaded.inputs.values,
        bounds,
        saved.maxima,
        to,
        account,
        options=options if saved.reuse else None,
        ask=price_source(to, 0),  # whatever was told lately: a plan binds at prices that hold now
    )
    return plan, await keep_plan(plan, loaded, to, ())


def _loaded(saved: SavedPlan, request: SavedRunRequest) -> Loaded:
    """Recipe and inputs as the plan has them; what of them moved is told before anybody is connected to."""
    recipe = _recipe(saved, request.current)
    now = {file.path: _fact_or_none(Path(file.path)) for file in saved.files}
    _refuse_moved([*moved_recipe(saved, recipe.files), *moved_files(saved, now)])
    return Loaded(recipe, _inputs(saved, recipe, request))


def _recipe(saved: SavedPlan, current: Path) -> Recipe:
    own = origins_of(saved.repositories).get("")
    if own is not None:
        source = recorded_source(own, current)
    else:
        source = local_source(Path(saved.recipe_path))
    path = source.path
    if own is None and not path.is_file():
        raise stale([Moved("recipe", f"recipe file {path.name}", saved.recipe_path, "gone")])
    recipe = load_recipe(path, Problems(), source.tree)
    if recipe is None:
        text = path.read_text(encoding="utf-8", errors="replace")
        raise stale(list(moved_recipe(saved, {path.name: text})))
    return recipe


def _inputs(saved: SavedPlan, recipe: Recipe, request: SavedRunRequest) -> BoundInputs:
    given = dict(request.inputs)
    hidden = [name for name, value in saved.inputs.items() if is_hidden(value)]
    missing = [name for name in hidden if name not in given]
    if missing:
        text = f"The plan holds only a digest of {', '.join(f'`{name}`' for name in missing)}."
        raise UsageError(GIVE_AGAIN, text, f"Give it again: `-i {missing[0]}=…`.")
    extra = next((name for name in given if name not in hidden), None)
    if extra is not None:
        raise UsageError("ZF003", f"`-i {extra}` means nothing with `--plan`: the plan holds that input.")
    words = [(name, word_of(value)) for name, value in saved.inputs.items() if name not in given]
    words = [(name, text) for name, text in words if name in recipe.inputs]
    return bind_inputs(recipe, [*words, *given.items()], request.current)


def _fact_or_none(path: Path) -> FileFact | None:
    try:
        return fact_of(path)
    except UsageError:
        return None


def _on_its_server(saved: SavedPlan, settings: Settings) -> Settings:
    """The plan's own server, unless another one was asked for: then that has moved."""
    asked = settings.by_key["service.server"]
    if kept_value(asked.value) == saved.server:
        return settings
    if asked.origin in ("--server", "ZENFLOW_SERVER") or is_hidden(saved.server):
        raise stale([Moved("server", "server", saved.server, str(kept_value(asked.value)))])
    return settings.on_server(saved.server, _ORIGIN, by_file=not is_own_plan(saved, settings))


def _refuse_moved(moved: Sequence[Moved]) -> None:
    if moved:
        raise stale(moved)
