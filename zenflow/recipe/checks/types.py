"""The type check: every template worked out over answers that carry only types."""

from __future__ import annotations

from typing import Any

from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.template import Template
from zenflow.expr.types import type_of, type_words
from zenflow.expr.values import ANY, Pending, Type, Value
from zenflow.problems import Problems
from zenflow.recipe.checks.static_scope import StaticScopes, iterated_step, results_of
from zenflow.recipe.model import Recipe, StepSpec

NOT_A_CONDITION = "ZF328"
NOT_A_LIST = "ZF329"
NOT_A_NUMBER = "ZF330"
Typed = dict[str, dict[str, Any]]  # step → `with`, in which a `Pending` with its type stands for every template


class _Check:
    """One walk over a recipe; an expression that fails is a problem once and of any type afterwards."""

    def __init__(self, usable: set[int], problems: Problems) -> None:
        self.usable = usable
        self.problems = problems

    def value(self, template: Template, scope: Any) -> Any:
        if id(template) not in self.usable:
            return Pending(type=ANY if template.is_single else Type("string"))
        try:
            value: Value = evaluate(template, scope)
            return value
        except ExpressionError as error:
            self.problems.error(error.code, error.message, error.place, error.hint)
            return Pending(type=ANY if template.is_single else Type("string"))

    def tree(self, written: Any, scope: Any) -> Any:
        kind = type(written)
        if kind is Template:
            return self.value(written, scope)
        if kind is dict:
            return {key: item if type(item) is str else self.tree(item, scope) for key, item in written.items()}
        if kind is list:
            return [self.tree(item, scope) for item in written]
        return written


def check_values(recipe: Recipe, scopes: StaticScopes, usable: set[int], problems: Problems) -> Typed:
    """Reports every expression that cannot be worked out, or whose value cannot stand where it stands."""
    check = _Check(usable, problems)
    if isinstance(recipe.budget, Template):
        _expect_number(recipe.budget, "budget", check, scopes)
    typed: Typed = {}
    for step in recipe.steps.values():
        if isinstance(step.max, Template):
            _expect_number(step.max, "max", check, scopes)
        _check_foreach(step, recipe, check, scopes)
        scope = scopes.of_instance(step)
        if isinstance(step.if_, Template):
            _expect_condition(step.if_, check, scope)
        typed[step.id] = check.tree(step.with_, scope) if step.with_ else {}
    check.tree(recipe.outputs, scopes.of_outputs())
    return typed


def _expect_number(template: Template, key: str, check: _Check, scopes: StaticScopes) -> None:
    known = type_of(check.value(template, scopes.of_recipe()))
    if known.name not in {"integer", "number", "any"}:
        check.problems.error(NOT_A_NUMBER, f"`{key}` needs a number, and this is {type_words(known)}", template.place)


def _expect_condition(template: Template, check: _Check, scope: Any) -> None:
    known = type_of(check.value(template, scope))
    if known.name not in {"boolean", "any"}:
        check.problems.error(
            NOT_A_CONDITION,
            f"`if` needs true or false, and this is {type_words(known)}",
            template.place,
            "Compare it: `… == …`, `(… | length) > 0`, `… is defined`.",
        )


def _check_foreach(step: StepSpec, recipe: Recipe, check: _Check, scopes: StaticScopes) -> None:
    if isinstance(step.foreach, Template):
        _expect_list(step.foreach, step, recipe, check, scopes)
    elif type(step.foreach) is dict:
        for values in step.foreach.values():
            if isinstance(values, Template):
                _expect_list(values, None, recipe, check, scopes)
            else:
                check.tree(values, scopes.of_recipe())
    elif step.foreach:
        check.tree(step.foreach, scopes.of_recipe())


def _expect_list(
    template: Template, step: StepSpec | None, recipe: Recipe, check: _Check, scopes: StaticScopes
) -> None:
    source = iterated_step(step) if step is not None else None
    if source is not None and source[1] is None:
        _check_iterated_step(source[0], template, recipe, check)
        return
    known = type_of(check.value(template, scopes.of_recipe()))
    if known.name not in {"array", "any"}:
        check.problems.error(
            NOT_A_LIST,
            f"`foreach` needs a list, and this is {type_words(known)}",
            template.place,
            "One element is written as a list: `[ … ]`." if known.name != "object" else None,
        )


def _check_iterated_step(step_id: str, template: Template, recipe: Recipe, check: _Check) -> None:
    spec = recipe.steps.get(step_id)
    if spec is None or spec.fans_out or id(template) not in check.usable:
        return
    lists = [name for name, known in (results_of(spec) or {}).items() if known.name == "array"]
    hint = (
        f"Its lists: {', '.join(f'`steps.{step_id}.{name}`' for name in lists)}." if lists else "Leave `foreach` out."
    )
    check.problems.error(
        NOT_A_LIST, f"the step `{step_id}` has no `foreach`, and so no instances to go over", template.place, hint
    )
