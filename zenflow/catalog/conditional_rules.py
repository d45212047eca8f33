"""Rules of a schema about which parameters belong together, said in words: `if`/`then`, `anyOf` and `oneOf` of `required`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from zenflow.catalog.field_path import FieldPath
from zenflow.catalog.messages import MISSING_PARAMETER, OTHER_SCHEMA, example, expected
from zenflow.catalog.schema import Schema
from zenflow.problems import Problem

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_UNIONS = ("anyOf", "oneOf")


def missing_together(
    tool: str, error: ValidationError, fields: Mapping[str, Schema], root: Schema, where: FieldPath
) -> Iterator[Problem] | None:
    """Say a finding at the top level that is about parameters that are missing; None when it is about something else."""
    kind: Any = error.validator
    if kind == "required":
        missing = [name for name in _wanted(error) if name not in _given(error)]
        return (_needs(tool, name, _condition(error, root), fields, where) for name in missing)
    if kind in _UNIONS and all(_is_required_alone(branch) for branch in _wanted(error)):
        return iter([_one_of(tool, error, fields, where)])
    return None


def _wanted(error: ValidationError) -> list[Any]:
    wanted: Any = error.validator_value
    return wanted if isinstance(wanted, list) else []


def _given(error: ValidationError) -> Mapping[str, Any]:
    given: Any = error.instance
    return given if isinstance(given, Mapping) else {}


def _needs(tool: str, name: str, when: str, fields: Mapping[str, Schema], where: FieldPath) -> Problem:
    field = fields.get(name, {})
    hint = f"Add `{name}: {example(name, field)}`. Expected: {expected(field)}."
    return Problem(MISSING_PARAMETER, f"`{tool}` needs `{name}`{when}", where.uses(), hint)


def _condition(error: ValidationError, root: Schema) -> str:
    """The words of the `if` beside a `then` or an `else`: ` when `tier` is 4K`."""
    path = list(error.absolute_schema_path)
    for at in range(len(path) - 1, -1, -1):
        if path[at] not in ("then", "else"):
            continue
        holder: Any = root
        for part in path[:at]:
            if isinstance(holder, list) and isinstance(part, int):
                holder = holder[part]
            else:
                holder = holder.get(part) if isinstance(holder, Mapping) else None
        rules = holder.get("if") if isinstance(holder, Mapping) else None
        words = _words_of(rules) if isinstance(rules, Mapping) else ""
        if words:
            return f" {'when' if path[at] == 'then' else 'unless'} {words}"
        return " with these values"
    return ""


def _words_of(rules: Mapping[str, Any]) -> str:
    known = rules.get("properties")
    parts = []
    for name, rule in known.items() if isinstance(known, Mapping) else ():
        values = [rule["const"]] if isinstance(rule, Mapping) and "const" in rule else None
        if values is None and isinstance(rule, Mapping) and isinstance(rule.get("enum"), list):
            values = rule["enum"]
        if not values:
            return ""
        parts.append(f"`{name}` is {' or '.join(v if isinstance(v, str) else json.dumps(v) for v in values)}")
    if not parts and isinstance(rules.get("required"), list):
        parts = [f"`{name}` is there" for name in rules["required"]]
    return " and ".join(parts)


def _is_required_alone(branch: Any) -> bool:
    return (
        isinstance(branch, Mapping) and isinstance(branch.get("required"), list) and set(branch) <= {"required", "type"}
    )


def _one_of(tool: str, error: ValidationError, fields: Mapping[str, Schema], where: FieldPath) -> Problem:
    groups = [[str(name) for name in branch["required"]] for branch in _wanted(error)]
    words = ", or ".join(" and ".join(f"`{name}`" for name in group) for group in groups)
    if not error.context:  # oneOf: several fit
        return Problem(OTHER_SCHEMA, f"`{tool}` takes only one of {words}", where.uses(), "Leave out all but one.")
    lines = ", ".join(f"`{name}: {example(name, fields.get(name, {}))}`" for name in groups[0])
    return Problem(MISSING_PARAMETER, f"`{tool}` needs {words}", where.uses(), f"Add {lines}.")
