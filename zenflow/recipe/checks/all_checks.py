"""Everything that can be known of a recipe from the recipe alone, as an ordered list of checks."""

from __future__ import annotations

from zenflow.problems import Problems
from zenflow.recipe.checks.comparisons import check_comparisons
from zenflow.recipe.checks.cycles import check_cycles
from zenflow.recipe.checks.inputs import check_inputs, check_unused_inputs
from zenflow.recipe.checks.names import check_names
from zenflow.recipe.checks.parameters import check_parameters
from zenflow.recipe.checks.static_scope import StaticScopes
from zenflow.recipe.checks.steps import check_policy, check_steps
from zenflow.recipe.checks.templates import gather_templates
from zenflow.recipe.checks.types import check_values
from zenflow.recipe.checks.unknown_names import explain_unknown_names
from zenflow.recipe.model import Recipe
from zenflow.recipe.text.nodes import Node


def check_recipe(recipe: Recipe, node: Node, problems: Problems) -> None:
    """Adds what is wrong; none of the checks stops another."""
    steps = node.get("steps")
    step_ids = tuple(steps.entries) if steps is not None else ()
    templates = gather_templates(recipe)
    explain_unknown_names(recipe, step_ids, problems)
    check_inputs(recipe, problems)
    inputs = node.get("inputs")
    inputs_known = inputs is None or inputs.kind == "mapping"
    usable = check_names(recipe, templates, step_ids, problems, inputs_known=inputs_known)
    check_steps(recipe, step_ids, problems)
    check_cycles(recipe, templates, problems)
    typed = check_values(recipe, StaticScopes(recipe, step_ids), usable, problems)
    check_parameters(recipe, typed, problems)
    check_comparisons(recipe, templates, problems)
    check_policy(recipe, problems)
    check_unused_inputs(recipe, templates, problems)
