"""Would the service take what the steps will send? Each shape of each step once, with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from zenflow.catalog.call_shapes import check_key
from zenflow.catalog.check import check_call, with_default_model
from zenflow.catalog.gates import check_model, check_nsfw
from zenflow.catalog.messages import MISSING_PARAMETER
from zenflow.catalog.schema import fields_of
from zenflow.expr.tree import templates_in
from zenflow.plan.analysis.draft import InstanceGroup, PlanContext, RecipeDraft, StepDraft
from zenflow.plan.analysis.file_names import check_names
from zenflow.plan.analysis.source_map import StepWhere
from zenflow.problems import Problem
from zenflow.suggest import did_you_mean

UNKNOWN_PROMPT_TOOL = "ZF416"
NOTHING_TO_SAVE = "ZF417"
NOT_USED = "ZF418"


def check(draft: RecipeDraft, context: PlanContext) -> None:
    """Every step of a recipe and of those inside it."""
    for step in draft.steps.values():
        for group in step.groups:
            for problem in _problems_of(step, group, draft, context):
                context.report(problem)
            if group.inner is not None:
                check(group.inner, context)
        if step.loose is not None and step.tool is not None:
            _check_loose(step, step.loose, draft, context)
        elif not step.groups and step.tool is not None and not step.broken:
            _check_unseen(step, draft, context)
        if step.spec.kind == "action" and step.spec.uses in ("download", "preview") and not step.broken:
            check_names(draft, step, context)
    _warn_of_waste(draft, context)


def _problems_of(step: StepDraft, group: InstanceGroup, draft: RecipeDraft, context: PlanContext) -> Iterator[Problem]:
    if step.tool is None or step.spec.kind == "recipe":
        return
    where = StepWhere(step.spec)
    gates = draft.gates if step.spec.kind == "tool" else None
    key = (check_key(step.tool, group.params), gates and gates.nsfw)  # consent and account are the same for all
    if key not in context.sound:
        problems = check_call(step.tool, group.params, where=where, gates=gates)
        yield from (_of_instance(problem, step, group) for problem in problems)
        if not problems:
            context.sound.add(key)
    if step.spec.uses == "upload" and step.spec.kind == "action":
        yield from _upload(step, group, draft, context)
    if step.spec.uses == "craft_prompt" and step.spec.kind == "action":
        yield from _craft_prompt(step, group, draft, context)
    if step.spec.uses in ("download", "preview") and not {"asset_ids", "asset_id"} & set(step.spec.with_):
        text = f"`{step.spec.uses}` needs `asset_ids` or `asset_id`"
        yield Problem(NOTHING_TO_SAVE, text, where.uses(), "Add `asset_ids: ${{ steps.ID.asset_ids }}`.")


def _of_instance(problem: Problem, step: StepDraft, group: InstanceGroup) -> Problem:
    """Of many instances, which one: told where the value is computed."""
    if not step.spec.fans_out or group.first is None or len(step.groups) == 1 or problem.code == MISSING_PARAMETER:
        return problem
    return replace(problem, message=f"{problem.message} (in `{step.path}.{group.first}`)")


def _upload(step: StepDraft, group: InstanceGroup, draft: RecipeDraft, context: PlanContext) -> Iterator[Problem]:
    """A source that is known, and that the run could not upload."""
    source = group.params.get("source")
    if context.bad_source is None or not isinstance(source, str):
        return
    bad = context.bad_source(source, draft.recipe)
    if bad is not None:
        yield Problem(bad.code, bad.message, StepWhere(step.spec).value(("source",)), bad.hint)


def _craft_prompt(step: StepDraft, group: InstanceGroup, draft: RecipeDraft, context: PlanContext) -> Iterator[Problem]:
    """The tool and model that a prompt is for, and adult content."""
    where, params = StepWhere(step.spec), group.params
    yield from check_nsfw(params, draft.gates, where)
    name = params.get("tool_name")
    if not isinstance(name, str):
        return
    names = {*context.catalog.tool_names, *context.catalog.tools}
    tool = context.catalog.tools.get(name)
    if name not in names:
        hint = " ".join(filter(None, (did_you_mean(name, names), f"There are: {', '.join(sorted(names))}.")))
        yield Problem(
            UNKNOWN_PROMPT_TOOL, f"there is no tool `{name}` to write a prompt for", where.value(("tool_name",)), hint
        )
    elif tool is not None and "model" in params:
        yield from check_model(tool, {"model": params["model"]}, fields_of(tool.input_schema), draft.gates, where)


def _check_unseen(step: StepDraft, draft: RecipeDraft, context: PlanContext) -> None:
    """A step without instances still has a form: its literal parameters, and the names of all."""
    literal = {name: value for name, value in step.spec.with_.items() if not any(templates_in(value))}
    assert step.tool is not None
    gates = draft.gates if step.spec.kind == "tool" and "model" in literal else None
    written = set(step.spec.with_)
    for problem in check_call(step.tool, literal, where=StepWhere(step.spec), gates=gates):
        missing = problem.code == MISSING_PARAMETER and any(f"`{name}`" in problem.message for name in written)
        if not missing:
            context.report(problem)


def _check_loose(step: StepDraft, params: dict[str, Any], draft: RecipeDraft, context: PlanContext) -> None:
    """A step with a wrong expression: all the others of its parameters."""
    assert step.tool is not None
    gates = draft.gates if step.spec.kind == "tool" else None
    for problem in check_call(step.tool, params, where=StepWhere(step.spec), gates=gates):
        context.report(problem)


def _warn_of_waste(draft: RecipeDraft, context: PlanContext) -> None:
    """A paid step whose results go nowhere."""
    read = {name for needs in draft.needs.values() for name in needs}
    shown = {
        str(ref.path[0])
        for _, t in templates_in(draft.recipe.outputs)
        for ref in t.reads
        if ref.root == "steps" and ref.path
    }
    used = read | shown
    for step in draft.steps.values():
        if step.spec.kind == "tool" and step.spec.id not in used:
            text = f"`{step.spec.id}` costs credits, and nothing reads what it makes"
            hint = f"Save it: a step that `uses: download` with `asset_ids: ${{{{ steps.{step.spec.id}.asset_ids }}}}`."
            context.warning(NOT_USED, text, step.spec.places.value("uses"), hint)


def sent_model(step: StepDraft, group: InstanceGroup) -> str | None:
    """The model that a shape's calls name; None where the tool has none, or where it is not known yet."""
    if step.tool is None or step.spec.kind != "tool":
        return None
    model = with_default_model(step.tool, group.params).get("model")
    return model if isinstance(model, str) else None
