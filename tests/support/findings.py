"""What is said about the text of a recipe, for tests: every finding, and the short form of one."""

from __future__ import annotations

from zenflow.errors import InvalidRecipe
from zenflow.problems import Problem
from zenflow.recipe.load import load_recipe_texts

HEAD = "zenflow: 1\nname: t\n"


def problems_of(text: str, **others: str) -> list[Problem]:
    """Every finding about a recipe that is not valid; nothing for one that is. `others` lie beside it, as NAME.yaml."""
    files = {"r.yaml": text} | {f"{name}.yaml": inner for name, inner in others.items()}
    try:
        load_recipe_texts(files, "r.yaml")
    except InvalidRecipe as error:
        return list(error.problems)
    return []


def short(problem: Problem) -> str:
    """`CODE LINE:COLUMN-ENDCOLUMN`."""
    place = problem.place
    return problem.code if place is None else f"{problem.code} {place.line}:{place.column}-{place.end_column}"
