"""Walks a recipe's steps in an order in which they could run, so that each finds what those before it will give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from zenflow.catalog.gates import Gates
from zenflow.catalog.model import Tool
from zenflow.expr.evaluate import ExpressionError
from zenflow.expr.tree import evaluate_tree
from zenflow.expr.types import type_of
from zenflow.expr.values import SKIPPED, Pending, Value
from zenflow.plan.analysis.dependencies import link, order_of
from zenflow.plan.analysis.draft import ONE, PlanContext, RecipeDraft, Source, StepDraft
from zenflow.plan.analysis.expand import expand
from zenflow.plan.analysis.list_lengths import as_long_as_written, with_lengths, with_lengths_of_sums
from zenflow.plan.analysis.resolve import OF_NO_INSTANCE, loose_parameters, resolve
from zenflow.plan.analysis.results import action_form, kinds_of, results_of
from zenflow.plan.analysis.scope import RUN, scope_of
from zenflow.plan.analysis.subrecipes import MOST_GROUPS, bind, grouped, narrowed
from zenflow.plan.fanout import fanout_of
from zenflow.plan.model import Count
from zenflow.recipe.actions import TOLERATES_MISSING_INPUTS
from zenflow.recipe.model import ACTIONS, Recipe, StepSpec
from zenflow.suggest import did_you_mean

UNKNOWN_TOOL = "ZF414"
ABSENT_HELPER = "ZF415"
NO_SCHEMA = "ZF419"
_HELPERS = {"craft_prompt": "craft_prompt", "describe": "describe_asset"}


def walk_recipe(
    recipe: Recipe,
    inputs: Mapping[str, Value],
    gates: Gates,
    context: PlanContext,
    prefix: str = "",
    weight: Count = ONE,
) -> RecipeDraft:
    """Everything about a recipe that needs no price: its steps with their shapes, counts and results."""
    draft = RecipeDraft(recipe, inputs, prefix, weight, gates)
    needs = link(recipe)
    draft.needs = needs
    base = scope_of(draft)
    for step_id in order_of(recipe, needs, context.problems):
        step = _step(recipe.steps[step_id], draft, context)
        draft.steps[step_id] = step
        _walk(draft, step, base, context)
    draft.outputs = _outputs(draft, base, context)
    return draft


def _walk(draft: RecipeDraft, step: StepDraft, base: Mapping[str, Value], context: PlanContext) -> None:
    if (not draft.prefix and step.spec.id in context.invalid_steps) or _has_no_recipe(step.spec):
        step.broken = True
        return
    step.elements = expand(draft, step, base, context)
    if step.elements is None:
        step.broken = True
        step.loose = loose_parameters(step.spec, {**base, **OF_NO_INSTANCE}, context)
        return
    resolve(draft, step, base, context)
    if step.spec.recipe is not None:
        _enter(draft, step, step.spec.recipe, context)
        return
    if step.spec.kind == "action" and step.spec.uses in TOLERATES_MISSING_INPUTS:
        with_lengths_of_sums(draft, step)
    for group in step.groups:
        results = results_of(step.spec, step.tool, group.params)
        group.results = results if group.sure else _unsure(step, results)


def _has_no_recipe(spec: StepSpec) -> bool:
    """Whether it uses a recipe that could not be read."""
    return spec.kind == "recipe" and spec.recipe is None


def _step(spec: StepSpec, draft: RecipeDraft, context: PlanContext) -> StepDraft:
    step = StepDraft(draft.prefix + spec.id, spec, fanout_of(spec), draft.needs[spec.id], kinds=kinds_of(spec))
    if spec.kind == "action":
        step.tool = action_form(spec.uses)
        _look_for_helper(step, context)
    elif spec.kind == "tool" and not (spec.id in context.invalid_steps and not draft.prefix):
        step.tool = _tool(spec, context)
        step.broken = step.tool is None
    return step


def _tool(spec: StepSpec, context: PlanContext) -> Tool | None:
    tool = context.catalog.tools.get(spec.uses)
    if tool is None and spec.uses in context.catalog.tool_names:
        text = f"{context.catalog.server} lists `{spec.uses}`, but does not say what it takes"
        context.error(NO_SCHEMA, text, spec.places.value("uses"), "Try later; `zenflow tools` shows what is there.")
    elif tool is None:
        known = sorted({*context.catalog.tool_names, *context.catalog.tools, *ACTIONS})
        listed = f"There are: {', '.join(known)}; a recipe: `./NAME.yaml`."
        hint = " ".join(filter(None, (_meant(spec.uses, known), listed)))
        text = f"`{spec.uses}` is neither an action nor a tool of {context.catalog.server}"
        context.error(UNKNOWN_TOOL, text, spec.places.value("uses"), hint)
    return tool


def _meant(uses: str, known: Sequence[str]) -> str | None:
    """A name of ours, also for who knows the service's own verbs (`zencreator_describe_asset`)."""
    plain = uses.rpartition("/")[2].partition("@")[0].removeprefix("zencreator_")
    if plain in ("create_task", "estimate_price", "get_task"):
        return "A step names the tool itself, as in `uses: image_editor`."
    return did_you_mean(plain, known)


def _look_for_helper(step: StepDraft, context: PlanContext) -> None:
    spec = step.spec
    helper = _HELPERS.get(spec.uses)
    if helper is None or helper in context.catalog.service_tools:
        return
    if spec.on_error == "continue":
        step.absent = True
        step.causes.append(f"{context.catalog.server} has no {spec.uses}")
        return
    hint = (
        "Say `on_error: continue`, and let its readers say what to use instead: "
        f"`${{{{ steps.{spec.id}.FIELD | default(…) }}}}`."
    )
    context.error(
        ABSENT_HELPER, f"{context.catalog.server} does not offer `{spec.uses}`", spec.places.value("uses"), hint
    )


# --- recipes as steps ---------------------------------------------------------------------------------------------


def _enter(draft: RecipeDraft, step: StepDraft, recipe: Recipe, context: PlanContext) -> None:
    """Survey the inner recipe once per shape of its inputs, counted as often as that shape runs."""
    if not bind(step, recipe, context):
        step.broken = True
        return
    with_lengths(draft, step)
    if len(step.groups) > MOST_GROUPS:
        grouped(step)
    gates = narrowed(draft.gates, recipe)
    for group in step.groups:
        weight = group.weight.times(draft.weight)
        group.inner = walk_recipe(recipe, group.params, gates, context, f"{step.path}/", weight)
        outputs = group.inner.outputs
        group.results = outputs if group.sure else _unsure(step, outputs)
    known = {name: [type_of(group.results.get(name)) for group in step.groups] for name in recipe.outputs}
    step.kinds = {
        name: types[0] if types else kinds
        for (name, types), kinds in zip(known.items(), step.kinds.values(), strict=True)
    }


def _outputs(draft: RecipeDraft, base: Mapping[str, Value], context: PlanContext) -> dict[str, Value]:
    """The recipe's outputs, as far as they are known; they take what exists, so nothing in them is an error."""
    scope = {**base, "run": dict(RUN)}
    found: dict[str, Value] = {}
    for name, written in draft.recipe.outputs.items():
        try:
            found[name] = as_long_as_written(draft, written, evaluate_tree(written, scope, existing=True))
        except ExpressionError as error:
            context.report(error.problem)
            found[name] = Pending(Source(name))
    return found


def _unsure(step: StepDraft, results: Mapping[str, Value]) -> dict[str, Value]:
    """The results of an instance that may not run: none is known, and whoever reads one may be skipped."""
    return {name: _maybe(value, f"steps.{step.spec.id}.{name}") for name, value in results.items()}


def _maybe(value: Value, label: str) -> Value:
    if value is SKIPPED:
        return value
    if not isinstance(value, Pending):
        return Pending(Source(label, unsure=True), type_of(value))
    known = value.on if isinstance(value.on, Source) else Source(label)
    return Pending(replace(known, unsure=True), value.type)
