"""The recipes that can be run here: a table for people, a document for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from zenflow.app.sharing.recipes import ListedRecipe, RecipeList
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.credits import as_number, as_text

_COLUMNS = (
    Column("recipe", shrinks=True, least=12),
    Column("inputs", shrinks=True, least=10),
    Column("last price", right=True),
    Column("description", shrinks=True, least=16),
)


def draw_recipes(found: RecipeList, style: Style, width: int) -> str:
    """One line for each recipe; inputs that must be given end with `*`."""
    lines: list[str] = []
    if found.recipes:
        lines = table(_COLUMNS, [_cells(one) for one in found.recipes], width, style)
    elif not found.problems:
        lines = ["No recipes here: `zenflow init` makes a first one, `zenflow repo add` adds a repository."]
    for name, error in found.problems.items():
        lines += wrap(f"{name}: {error.message} [{error.code}]", width, "  ", style.bad("! "))
        lines += wrap(error.hint, width, "    ", "  → ") if error.hint else []
    if any(one.is_required for recipe in found.recipes for one in recipe.summary.inputs):
        lines += ["", "* must be given: `-i NAME=VALUE`"]
    return "\n".join(lines)


def _cells(one: ListedRecipe) -> list[str]:
    summary = one.summary
    inputs = ", ".join(f"{given.name}{'*' if given.is_required else ''}" for given in summary.inputs)
    price = "–" if one.price is None else as_text(one.price.expected)
    return [one.word, inputs or "–", price, summary.problem or " ".join((summary.description or "").split())]


def recipes_document(found: RecipeList) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "recipes": [
            {
                "recipe": one.word,
                "repository": one.repository or None,
                "name": one.summary.name,
                "version": one.summary.version,
                "description": one.summary.description,
                "inputs": [asdict(given) for given in one.summary.inputs],
                "last_price": None if one.price is None else as_number(one.price.expected),
                "last_run_at": None if one.price is None else one.price.at,
                "problem": one.summary.problem or None,
            }
            for one in found.recipes
        ],
        "problems": [
            {"repository": name, "code": error.code, "message": error.message, "hint": error.hint}
            for name, error in found.problems.items()
        ],
    }
