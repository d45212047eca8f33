"""What does a change cost? Two of: a recipe, a saved plan, a run, `REV:path` in git. Nothing is submitted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.connection.wiring import ReadOnlyConnection, connect_read_only
from zenflow.app.planning.git import checked_out, split_revision
from zenflow.app.planning.plan_file import read_json, read_plan
from zenflow.app.planning.prepare import Loaded, RecipeRequest, make_plan, read_recipe
from zenflow.app.planning.sources import is_repository_word
from zenflow.app.queries import runs
from zenflow.credits import Estimate
from zenflow.engine.model.report import StepReport
from zenflow.engine.reporting.replay import look_at
from zenflow.errors import Refused, UsageError
from zenflow.history.state import RunState
from zenflow.journal.base import NoSuchRun
from zenflow.plan.model import Count
from zenflow.plan.output.diff import Limit, PlanDifference, PricedStep, Side, broken_guards, difference, side_of
from zenflow.plan.output.document import plan_document
from zenflow.plan.output.plan_file import is_saved_plan
from zenflow.recipe.build import is_recipe_path
from zenflow.recipe.inputs.bind import Said, bind_inputs
from zenflow.recipe.model import ACTIONS

TOO_DEAR = "ZF671"
_RUN_ID = re.compile(r"\d{8}-\d{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest:
    """`inputs` are given to each side that has them."""

    before: str
    after: str
    current: Path
    inputs: tuple[Said, ...] = ()


async def diff(request: DiffRequest, settings: Settings) -> PlanDifference:
    """Raises UsageError, InvalidRecipe, ServiceError."""
    async with connect_read_only(settings) as to:
        before = await _side(request.before, request, to)
        after = await _side(request.after, request, to)
    return difference(before, after)


def refused_by(found: PlanDifference, limit: Limit | None, budget: Decimal | None) -> Refused | None:
    """The guard that the change breaks."""
    broken = list(broken_guards(found, limit, budget))
    if not broken:
        return None
    said = "; ".join(broken)
    return Refused(TOO_DEAR, f"Too dear: {said}.", "Raise the guard when that is meant.")


async def _side(word: str, request: DiffRequest, to: ReadOnlyConnection) -> Side:
    path = request.current / word
    if path.suffix == ".json" and path.is_file():
        if not is_saved_plan(read_json(path)):
            raise UsageError("ZF061", f"{word} is no saved plan.", "Make one: `zenflow plan RECIPE -o FILE`.")
        return _saved(word, path)
    if is_repository_word(word, request.current):
        return await _planned(word, word, request, to)
    revision = None if path.exists() else split_revision(word)
    if revision is not None:
        with checked_out(revision, request.current) as there:
            return await _planned(word, str(there), request, to)
    if not path.exists() and (word == "last" or _RUN_ID.match(word)):
        return _run(word, to)
    try:
        return await _planned(word, word, request, to)
    except UsageError as error:
        if error.code != "ZF011":
            raise
        return _run_or(word, error, to)


def _saved(word: str, path: Path) -> Side:
    """A side from a saved plan. Raises UsageError where the plan in it has another shape."""
    try:
        return side_of(word, read_plan(path).plan)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        message = f"invalid saved plan: {word}: {type(error).__name__}: {error}"
        raise UsageError("ZF061", message, "Make it again: `zenflow plan RECIPE -o FILE`.") from error


async def _planned(label: str, recipe: str, request: DiffRequest, to: ReadOnlyConnection) -> Side:
    asked = RecipeRequest(recipe=recipe, current=request.current)
    found = read_recipe(asked)
    words = tuple(one for one in request.inputs if isinstance(one, Path) or one[0] in found.inputs)
    bound = bind_inputs(found, words, request.current)
    plan = await make_plan(Loaded(found, bound), replace(asked, inputs=words), to)
    return side_of(label, plan_document(plan))


# --- runs -----------------------------------------------------------------------------------------------------------


def _run_or(word: str, error: UsageError, to: ReadOnlyConnection) -> Side:
    """The beginning of a run's id, where no recipe has that name."""
    try:
        return _run(word, to)
    except NoSuchRun:
        raise error from None


def _run(word: str, to: ReadOnlyConnection) -> Side:
    """What a run has cost: its calls and its charges, exact."""
    row = runs.find(to.journal, word)
    report = look_at(to.journal.events(row.run_id))
    calls = _calls(report.state)
    steps = {path: _ran(step, calls.get(path, (0, None))) for path, step in report.steps.items()}
    total = sum((step.credits for step in steps.values()), Estimate())
    return Side(f"run {row.run_id}", steps, total, row.recipe_name)


def _calls(state: RunState) -> Mapping[str, tuple[int, str | None]]:
    """Per step: paid calls that were accepted, and the models that they named."""
    found: dict[str, tuple[int, dict[str, None]]] = {}
    for submission in state.submissions.values():
        for call in submission.calls if submission.task_id is not None else ():
            path = "/".join(part.split(".")[0] for part in call.call.instance.split("/"))
            count, models = found.get(path, (0, {}))
            model = call.call.params.get("model")
            found[path] = (count + 1, {**models, **({model: None} if isinstance(model, str) else {})})
    return {path: (count, ", ".join(models) or None) for path, (count, models) in found.items()}


def _ran(step: StepReport, calls: tuple[int, str | None]) -> PricedStep:
    number, model = calls
    paid = step.uses not in ACTIONS and not is_recipe_path(step.uses)
    done = number if paid else sum(1 for one in step.instances if one.status == "done")
    credits = Estimate(step.credits, step.credits, step.credits)
    return PricedStep(step.path, step.uses, model, Count(done, done, done), credits, paid)
