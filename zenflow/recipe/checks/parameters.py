"""`with` against the parameters of actions and the inputs of recipes. Tools' parameters are the catalog's to check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.media.data_urls import is_data_url, is_web_url
from zenflow.problems import Place, Problems
from zenflow.recipe.actions import ACTION_PARAMETERS, TOLERATES_MISSING_INPUTS
from zenflow.recipe.checks.types import Typed
from zenflow.recipe.model import ACTIONS, Recipe, StepSpec
from zenflow.recipe.schema.values import Mismatch, describe, is_uuid, mismatches
from zenflow.recipe.trees import leads_out
from zenflow.suggest import nearest

UNKNOWN_PARAMETER = "ZF220"
MISSING_PARAMETER = "ZF221"
WRONG_PARAMETER = "ZF222"
BOTH_FORMS = "ZF233"
OUTSIDE = "ZF232"


def check_parameters(recipe: Recipe, typed: Typed, problems: Problems) -> None:
    """Reports unknown, missing and wrong parameters, with the places of rule 5."""
    for step in recipe.steps.values():
        given = typed[step.id]
        if step.uses in ACTIONS:
            _check_step(step, given, ACTION_PARAMETERS[step.uses], problems)
            _check_save(step, problems)
            if step.uses == "upload":
                _check_source(step, recipe, problems)
        elif step.recipe is not None:
            _check_step(step, given, _parameters_of(step.recipe), problems)


def _parameters_of(recipe: Recipe) -> Mapping[str, Any]:
    """The inputs of a recipe as the parameters of a step. Media are passed as text or as asset ids."""
    return {
        "type": "object",
        "properties": {name: spec.schema for name, spec in recipe.inputs.items()},
        "required": [name for name, spec in recipe.inputs.items() if spec.required],
        "additionalProperties": False,
    }


def _check_step(step: StepSpec, given: Mapping[str, Any], schema: Mapping[str, Any], problems: Problems) -> None:
    found = list(mismatches(dict(given), schema))
    misspelt = [str(mismatch.path[-1]) for mismatch in found if mismatch.kind == "unknown"]
    for mismatch in found:
        if mismatch.kind == "missing":
            if nearest(str(mismatch.path[-1]), misspelt) is None:  # else it is there, misspelt, and reported as that
                _report_missing(step, mismatch, problems)
        elif mismatch.kind == "unknown":
            _report_unknown(step, mismatch, schema, problems)
        else:
            message = f"`{_dotted(mismatch)}`: {mismatch.message}"
            problems.error(WRONG_PARAMETER, message, step.places.value("with", *mismatch.path), mismatch.hint)


def _report_missing(step: StepSpec, mismatch: Mismatch, problems: Problems) -> None:
    place = step.places.value("uses") if len(mismatch.path) == 1 else step.places.value("with", *mismatch.path[:-1])
    problems.error(MISSING_PARAMETER, f"`{step.uses}` needs `{_dotted(mismatch)}`", place, mismatch.hint)


def _report_unknown(step: StepSpec, mismatch: Mismatch, schema: Mapping[str, Any], problems: Problems) -> None:
    hint = mismatch.hint
    if not schema["properties"]:
        hint = "It takes none."
    message = f"`{step.uses}` has no parameter `{_dotted(mismatch)}`"
    problems.error(UNKNOWN_PARAMETER, message, step.places.key("with", *mismatch.path), hint)


def _dotted(mismatch: Mismatch) -> str:
    words = "".join(f"[{part}]" if type(part) is int else f".{part}" for part in mismatch.path)
    return words.removeprefix(".")


def _check_save(step: StepSpec, problems: Problems) -> None:
    if step.uses not in TOLERATES_MISSING_INPUTS:
        return
    listed, single = "asset_ids" in step.with_, "asset_id" in step.with_
    if listed and single:
        problems.error(
            BOTH_FORMS,
            "`asset_ids` and `asset_id` are two ways to say the same",
            step.places.key("with", "asset_id"),
            "Keep one of them.",
        )
    elif not listed and not single:
        near = nearest("asset_ids", step.with_)
        if near is None:
            hint = describe({"description": "The assets to save.", "examples": ["${{ steps.generate.asset_ids }}"]})
            problems.error(
                MISSING_PARAMETER, f"`{step.uses}` needs `asset_ids` or `asset_id`", step.places.value("uses"), hint
            )


def _check_source(step: StepSpec, recipe: Recipe, problems: Problems) -> None:
    """A recipe reads files of its own folder only; what lies elsewhere is named by whoever runs it."""
    source = step.with_.get("source")
    if type(source) is not str or is_uuid(source) or is_web_url(source) or is_data_url(source):
        return
    place: Place = step.places.value("with", "source")
    if leads_out(source, recipe.path, recipe.boundary):
        problems.error(
            OUTSIDE,
            "a recipe uploads files of its own workspace or repository only",
            place,
            "Declare an input of type image, video or audio, and name the file when you run it.",
        )
