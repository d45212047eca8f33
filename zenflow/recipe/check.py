"""Everything that can be known of a recipe from the recipe alone, as an ordered list of checks."""

from __future__ import annotations

from zenflow.problems import Problems
from zenflow.recipe.model import Recipe
from zenflow.recipe.nodes import Node


def check_recipe(recipe: Recipe, node: Node, problems: Problems) -> None:
    """Adds what is wrong; none of the checks stops another."""
