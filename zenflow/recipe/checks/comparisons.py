"""Comparisons that never hold: an input of true or false, or of a number, with text in quotes.

Rule 11 makes them no errors, since JSON's `true` and `"true"` are simply not equal; but nobody means that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from zenflow.expr.template import Expression
from zenflow.problems import Problems
from zenflow.recipe.checks.templates import Placed
from zenflow.recipe.model import InputSpec, Recipe

NEVER_EQUAL = "ZF337"
_COMPARED = re.compile(r"\binputs\.(\w+)\s*(==|!=)\s*([\"'])\0*\3")
_TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.S)
_BEGINS = re.compile(
    r"(?:^|[(\[{,:]|\b(?:and|or|not|if|else))\s*\Z"
)  # what an operand stands behind that is the input alone
_WORDS: Mapping[str, str] = {"boolean": "true or false", "integer": "an integer", "number": "a number"}


def check_comparisons(recipe: Recipe, templates: Sequence[Placed], problems: Problems) -> None:
    """One warning for each."""
    for placed in templates:
        template = placed.template
        for part in template.parts:
            if not isinstance(part, Expression) or part.is_plain or "inputs." not in part.source:
                continue
            masked = _TEXT.sub(_without_its_letters, part.source)
            for match in _COMPARED.finditer(masked):
                spec = recipe.inputs.get(match[1])
                if spec is None or spec.type not in _WORDS or template.locate is None:
                    continue
                if _BEGINS.search(masked, 0, match.start()) is None:
                    continue  # `'n' ~ inputs.count == 'n3'`, `item.inputs.count == '3'`
                place = template.locate(part.start + match.start(), part.start + match.end())
                never = "never" if match[2] == "==" else "always"
                message = f"the input `{match[1]}` is {_WORDS[spec.type]}, and so {never} {_said(match[2])} text"
                problems.warning(
                    NEVER_EQUAL,
                    message,
                    place,
                    _hint(spec, match[2], part.source[match.start(3) + 1 : match.end() - 1]),
                )


def _without_its_letters(text: re.Match[str]) -> str:
    """As long, and nothing in it reads like an expression."""
    return text[0][0] + "\0" * (len(text[0]) - 2) + text[0][-1]


def _said(operator: str) -> str:
    return "equal to" if operator == "==" else "different from"


def _hint(spec: InputSpec, operator: str, text: str) -> str:
    plain = text.strip().lower()
    if spec.type == "boolean":
        wanted = (plain in ("true", "yes", "1", "on")) is (operator == "==")
        return f"Write `inputs.{spec.name}` alone." if wanted else f"Write `not inputs.{spec.name}`."
    if re.fullmatch(r"-?\d+(\.\d+)?", plain):
        return f"Leave out the quotes: `inputs.{spec.name} {operator} {plain}`."
    return "Compare it with a number, without quotes."
