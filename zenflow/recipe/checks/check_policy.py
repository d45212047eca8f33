"""The recipe's policy against what the recipe itself says (language page, “Budget and policy”)."""

from __future__ import annotations

from zenflow.problems import Problem, Problems
from zenflow.recipe.model import Recipe

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
