"""What keys of a step go together, and what they name."""

from __future__ import annotations

import math
from collections.abc import Sequence

from zenflow.expr.failure import suggestion
from zenflow.expr.limits import MAX_ELEMENTS
from zenflow.expr.template import Template
from zenflow.problems import Problem, Problems
from zenflow.recipe.checks.cycles import need_place
from zenflow.recipe.model import Recipe, StepSpec
from zenflow.suggest import Patience

UNKNOWN_NEED = "ZF223"
TOOLS_ONLY = "ZF224"
UNBOUNDED = "ZF225"
MAX_ALONE = "ZF226"
TOO_MANY = "ZF227"
_TOOL_KEYS = ("retry", "max_credits")


def check_steps(recipe: Recipe, step_ids: Sequence[str], problems: Problems) -> None:
    """Reports what a step says that cannot be meant."""
    known, patience = frozenset(step_ids), Patience()
    for step in recipe.steps.values():
        if not known.issuperset(step.needs):
            _needs(step, step_ids, patience, problems)
        _keys_of_tools(step, problems)
        _bounds(step, recipe, problems)


def _needs(step: StepSpec, step_ids: Sequence[str], patience: Patience, problems: Problems) -> None:
    for position, step_id in enumerate(step.needs):
        if step_id not in step_ids and "${{" not in step_id:  # an expression: its form is told already
            others = [other for other in step_ids if other != step.id]
            problems.error(
                UNKNOWN_NEED,
                f"there is no step `{step_id}`",
                need_place(step, position),
                suggestion(step_id, others, "The steps", patience),
            )


def _keys_of_tools(step: StepSpec, problems: Problems) -> None:
    if step.kind == "tool":
        return
    what = f"`{step.uses}` is an action" if step.kind == "action" else "this step is a recipe"
    for key in _TOOL_KEYS:
        if (key,) in step.places.keys:
            problems.error(
                TOOLS_ONLY, f"`{key}` is for generation tools, and {what}", step.places.key(key), "Leave it out."
            )


def _bounds(step: StepSpec, recipe: Recipe, problems: Problems) -> None:
    if not step.fans_out:
        if step.max is not None:
            problems.error(
                MAX_ALONE,
                "`max` bounds a `foreach`, and this step has none",
                step.places.key("max"),
                "Leave it out, or add `foreach`.",
            )
        return
    if type(step.foreach) is dict and all(type(values) is list for values in step.foreach.values()):
        count = math.prod(len(values) for values in step.foreach.values())
        if count > MAX_ELEMENTS:
            problems.error(
                TOO_MANY,
                f"`foreach` makes {count:,} combinations; at most {MAX_ELEMENTS:,} are allowed",
                step.places.key("foreach"),
            )
    if step.max is None and isinstance(step.foreach, Template) and _reads_output(step.foreach, recipe):
        problems.error(
            UNBOUNDED,
            "nobody can know how long this list gets, so that `max` is required",
            step.places.value("foreach"),
            "Add `max: 10`, or as many as you would pay for.",
        )


def _reads_output(template: Template, recipe: Recipe) -> bool:
    """A tool's `output` is the service's own, verbatim: no request tells how long a list in it will be (rule 19)."""
    for read in template.reads:
        if read.root == "steps" and "output" in read.path[1:3] and type(read.path[0]) is str:
            spec = recipe.steps.get(read.path[0])
            if spec is not None and spec.kind == "tool":
                return True
    return False


NO_SUBJECTS = "ZF241"
ADULT_DENIED = "ZF242"


def check_policy(recipe: Recipe, problems: Problems) -> None:
    """Adult content is asked for where the policy denies it, or allowed with uploads and nothing said of the subjects."""
    if recipe.policy.nsfw == "allow":
        uploads = any(step.uses == "upload" for step in recipe.steps.values())
        if uploads and recipe.policy.subjects is None:
            problems.error(
                NO_SUBJECTS,
                "a recipe that allows adult content and takes uploaded media must say who is shown",
                recipe.places.value("policy", "nsfw"),
                "Add `subjects: consenting-adults` to the policy where that is true; it is recorded in the run.",
            )
        return
    for step in recipe.steps.values():
        if step.with_.get("nsfw") is True:
            said = "`nsfw: true`, and the policy of the recipe denies it"
            hint = "Leave it out, or write `policy: {nsfw: allow}`."
            place = step.places.value("with", "nsfw")
            problems.extend([Problem(ADULT_DENIED, said, place, hint, refuses=True)])
