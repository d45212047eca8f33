"""A tree of nodes → `Recipe` and its parts. Goes on where the structure is wrong, so that every problem is found in one go.

Knows the form of each key; what keys are allowed is said by `schema`, what names mean by `check`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from zenflow.expr.failure import Failure
from zenflow.expr.parse import UNCLOSED, parse_text
from zenflow.expr.program_cache import program_for
from zenflow.expr.template import Template
from zenflow.problems import Problem, Problems
from zenflow.recipe.model import ACTIONS, InputSpec, Policy, Recipe, StepSpec
from zenflow.recipe.schema.structure import input_fragment, valid_against
from zenflow.recipe.text.lookalikes import may_be_expression, warn_of_blocks, warn_of_plain_text
from zenflow.recipe.text.nodes import Node, places_of
from zenflow.recipe.text.positions import locator
from zenflow.recipe.text.syntax_errors import quoted_line

NOT_ONE_EXPRESSION = "ZF327"
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smh])")
_RECIPE_PATH = re.compile(r"^(\.{1,2}[/\\]|[/\\~]|[A-Za-z]:[/\\])|[/\\]|\.ya?ml$|^[A-Za-z0-9][\w-]+:[^\s:]")


def build_recipe(node: Node, path: Path, problems: Problems) -> Recipe:
    """What the tree says, as far as it says it. Digest, files and inner recipes are added by `load`."""
    return Recipe(
        name=_text(node.get("name")) or "",
        version=_text(node.get("version")) or "",
        description=_text(node.get("description")),
        inputs=_inputs(node.get("inputs")),
        budget=_number_or_expression(node.get("budget"), "budget", problems),
        policy=_policy(node.get("policy")),
        steps=_steps(node.get("steps"), problems),
        outputs=_outputs(node.get("outputs"), problems),
        path=path,
        places=places_of(node),
        digest="",
    )


def written(node: Node, problems: Problems) -> Any:
    """A value with its expressions parsed: JSON with `Template` leaves."""
    value = node.value
    kind = type(value)
    if kind is str:
        if "{{" in value:
            if "{%" in value:
                warn_of_blocks(node, problems)
            return parse_scalar(node, problems)
        if may_be_expression(value):
            warn_of_plain_text(node, problems)
        return value
    if kind is dict:
        return {key: written(item, problems) for key, (_, item) in node.entries.items()}
    if kind is list:
        return [written(item, problems) for item in node.items]
    return value


def parse_scalar(node: Node, problems: Problems) -> Template | str:
    """One text with its places."""
    if "}}" in node.value:
        return parse_text(node.value, node.place, locator(node), problems)
    found = Problems()
    result = parse_text(node.value, node.place, locator(node), found)
    for problem in found:
        problems.extend([_cut_off_by_comment(problem, node) or problem])
    return result


def _cut_off_by_comment(problem: Problem, node: Node) -> Problem | None:
    """` #` begins a comment in YAML: the rest of the expression never arrived (rule 9)."""
    line = node.source.line(node.end_line)
    if problem.code != UNCLOSED or node.style or not line[node.end_column :].lstrip().startswith("#"):
        return None
    hint = f"` #` begins a comment in YAML. Write `{quoted_line(line)}`."
    return Problem("ZF110", "the expression is cut off by a comment: it must be quoted", problem.place, hint)


def is_recipe_path(uses: str) -> bool:
    """Whether `uses` names a recipe's file rather than an action or a tool."""
    return _RECIPE_PATH.search(uses) is not None


# --- inputs and policy ---------------------------------------------------------------------------------------------


def _inputs(node: Node | None) -> dict[str, InputSpec]:
    if node is None or node.kind != "mapping":
        return {}
    specs = {}
    for name, (_, value) in node.entries.items():
        spec = _input(name, value)
        if spec is not None:
            specs[name] = spec
    return specs


def _input(name: str, node: Node) -> InputSpec | None:
    value = node.value
    if type(value) is str:
        value = {"type": value}
    elif type(value) is not dict:
        return None
    schema: dict[str, Any] = {key: item for key, item in value.items() if not key.startswith("x-")}
    if not valid_against(value, input_fragment()):
        # The schema check has said so. References to the input are still good, and nothing is known of its values.
        schema = {"type": "any"} | ({"default": schema["default"]} if "default" in schema else {})
    return InputSpec(
        name=name,
        schema=schema,
        type=schema["type"],
        required="default" not in schema,
        default=schema.get("default"),
        description=schema.get("description") if type(schema.get("description")) is str else None,
        places=places_of(node),
    )


def _policy(node: Node | None) -> Policy:
    if node is None or node.kind != "mapping":
        return Policy()
    subjects = node.get("subjects")
    nsfw = node.get("nsfw")
    return Policy("allow" if nsfw is not None and nsfw.value == "allow" else "deny", _text(subjects))


# --- steps ---------------------------------------------------------------------------------------------------------


def _steps(node: Node | None, problems: Problems) -> dict[str, StepSpec]:
    if node is None or node.kind != "mapping":
        return {}
    return {
        step_id: _step(step_id, value, problems)
        for step_id, (_, value) in node.entries.items()
        if value.kind == "mapping"
    }


_USUAL = frozenset({"uses", "with"})


def _step(step_id: str, node: Node, problems: Problems) -> StepSpec:
    uses = _text(node.get("uses")) or ""
    if node.entries.keys() <= _USUAL:  # as most steps are; the rest need not be asked for
        with_ = _with(node.get("with"), problems)
        kind = _kind(uses)
        return StepSpec(step_id, uses, kind, with_, None, None, None, (), 0, None, "fail", None, None, places_of(node))
    on_error = node.get("on_error")
    reuse, retry, max_credits = _value(node, "reuse"), _value(node, "retry"), _value(node, "max_credits")
    return StepSpec(
        id=step_id,
        uses=uses,
        kind=_kind(uses),
        with_=_with(node.get("with"), problems),
        foreach=_foreach(node.get("foreach"), problems),
        max=_max(node.get("max"), problems),
        if_=_if(node.get("if"), problems),
        needs=_needs(node.get("needs")),
        retry=retry if type(retry) is int else 0,
        timeout_s=_timeout(node.get("timeout")),
        on_error="continue" if on_error is not None and on_error.value == "continue" else "fail",
        reuse=reuse if type(reuse) is bool else None,
        max_credits=max_credits if type(max_credits) in (int, float) else None,
        places=places_of(node),
    )


def _kind(uses: str) -> Literal["action", "tool", "recipe"]:
    if uses in ACTIONS:
        return "action"
    return "recipe" if is_recipe_path(uses) else "tool"


def _with(node: Node | None, problems: Problems) -> dict[str, Any]:
    if node is None or node.kind != "mapping":
        return {}
    return {key: written(value, problems) for key, (_, value) in node.entries.items()}


def _foreach(node: Node | None, problems: Problems) -> Any:
    if node is None or node.value is None:
        return None
    if type(node.value) is dict:
        return {name: _listed(value, f"foreach.{name}", problems) for name, (_, value) in node.entries.items()}
    return _listed(node, "foreach", problems)


def _listed(node: Node, key: str, problems: Problems) -> Any:
    """A list or an expression; where it is neither, the schema check has said so, and the step still fans out."""
    if type(node.value) is str:
        return _expression(node, key, problems) or []
    return written(node, problems) if type(node.value) is list else []


def _max(node: Node | None, problems: Problems) -> int | Template | None:
    found = _number_or_expression(node, "max", problems)
    return None if type(found) is float else found


def _if(node: Node | None, problems: Problems) -> Template | bool | None:
    if node is None or node.value is None:
        return None
    if type(node.value) is bool:
        return node.value
    return _expression(node, "if", problems) if type(node.value) is str else None


def _number_or_expression(node: Node | None, key: str, problems: Problems) -> Any:
    if node is None:
        return None
    if type(node.value) in (int, float):
        return node.value
    return _expression(node, key, problems) if type(node.value) is str else None


def _expression(node: Node, key: str, problems: Problems) -> Template | None:
    """Text that has to be exactly one expression."""
    if "${{" not in node.value:
        return None  # the schema check has said so
    before = len(problems)
    parsed = parse_scalar(node, problems)
    if isinstance(parsed, Template) and parsed.is_single:
        return parsed
    if len(problems) == before:
        inner = re.sub(r"\$\{\{\s*(.*?)\s*\}\}", r"\1", node.value)
        can_be = not isinstance(program_for(inner), Failure)
        hint = f"Write one expression: `{key.split('.')[-1]}: ${{{{ {inner if can_be else '…'} }}}}`."
        problems.error(NOT_ONE_EXPRESSION, f"`{key}` is one expression and nothing around it", node.place, hint)
    return None


def _needs(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    if type(node.value) is str:
        return (node.value,)
    if type(node.value) is list:
        return tuple(dict.fromkeys(item for item in node.value if type(item) is str))
    return ()


def _timeout(node: Node | None) -> float | None:
    if node is None or type(node.value) is not str:
        return None
    match = _DURATION.fullmatch(node.value)
    return float(match[1]) * _UNITS[match[2]] if match else None


def _outputs(node: Node | None, problems: Problems) -> dict[str, Any]:
    return _with(node, problems)


def _value(node: Node, key: str) -> Any:
    found = node.get(key)
    return None if found is None else found.value


def _text(node: Node | None) -> str | None:
    return node.value if node is not None and type(node.value) is str else None
