"""Unknown names in expressions, with what only the whole recipe can say of them: an input, a step, or text without quotes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from zenflow.expr.program import UNKNOWN_NAME
from zenflow.foreign_terms import name_called
from zenflow.problems import Problem, Problems
from zenflow.recipe.model import Recipe
from zenflow.suggest import Patience, nearest

_NAMED = re.compile(r"unknown name `(\w+)`")


def explain_unknown_names(recipe: Recipe, step_ids: Sequence[str], problems: Problems) -> None:
    """Better hints for those of this recipe's own file."""
    file = recipe.places.root.file
    patience = Patience()

    def better(problem: Problem) -> Problem:
        match = _NAMED.fullmatch(problem.message)
        if problem.code != UNKNOWN_NAME or match is None or problem.place is None or problem.place.file != file:
            return problem
        hint = _hint(match[1], recipe, step_ids, patience)
        return problem if hint is None else replace(problem, hint=hint)

    problems.reword(better)


def _hint(name: str, recipe: Recipe, step_ids: Sequence[str], patience: Patience) -> str | None:
    for root, known in (("inputs", tuple(recipe.inputs)), ("steps", tuple(step_ids))):
        if name in known:
            return f"Did you mean `{root}.{name}`?"
    ours = name_called(name)
    if ours == "item":
        return "Did you mean `item`? It is the element of `foreach`; of a mapping, `item.NAME`."
    if ours == "steps":
        return "Did you mean `steps`? Results are read as `steps.ID.asset_id`, without `outputs`."
    if ours is not None:
        return f"Did you mean `{ours}`?"
    if name == "secrets":
        return "A recipe holds no secrets, and needs none: `zenflow login` signs in."
    for root, known in (("inputs", tuple(recipe.inputs)), ("steps", tuple(step_ids))):
        near = nearest(name, known, least=0.75) if patience.allows(len(known)) else None
        if near is not None:
            return f"Did you mean `{root}.{near}`?"
    return None
