"""Why a tree has not the form of a recipe: the schema's own descriptions, examples and names, at the places of rule 5.

Walks the tree beside the schema, slowly, only where the fast check of `schema` said no.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from zenflow.foreign_terms import equivalent_of, our_key_for, type_called, value_called
from zenflow.problems import Place, Problems
from zenflow.recipe.schema.migration_hints import as_a_default, as_elsewhere, in_one_unit
from zenflow.recipe.schema.structure import Schema, has_type, is_valid, recipe_schema, valid_against
from zenflow.recipe.schema.values import WORDS_OF_OLD_YAML
from zenflow.recipe.text.nodes import Node
from zenflow.suggest import nearest

UNKNOWN_KEY = "ZF201"
MISSING_KEY = "ZF202"
WRONG_TYPE = "ZF203"
NOT_ALLOWED = "ZF204"
OUT_OF_RANGE = "ZF205"
BAD_NAME = "ZF206"
BAD_FORM = "ZF207"
EMPTY = "ZF208"
FORMAT_VERSION = "ZF209"

_TYPE_WORDS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "nothing",
}


def _meant(key: str, known: Mapping[str, Any]) -> str | None:
    """The key that an unknown one most likely stands for."""
    return our_key_for(key, known) or (None if equivalent_of(key) else nearest(key, known))


def check_structure(node: Node, problems: Problems) -> bool:
    """Whether the tree has the form of a recipe; every place where it has not is a problem."""
    if is_valid(node.value):
        return True
    before = len(problems)
    Explainer(problems).explain(node, recipe_schema(), node.place, "the recipe")
    assert len(problems) > before, "the fast check and the explanation must agree"
    return False


class Explainer:
    """Walks the tree beside the schema, slowly, only when the fast check said no."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    def explain(self, node: Node, schema: Schema, key_place: Place, what: str) -> None:
        """`key_place` is where a missing key of this value is reported: the key that leads here."""
        schema = _resolved(schema)
        value = node.value
        if valid_against(value, schema):
            return
        if "anyOf" in schema:
            self._any_of(node, schema, key_place, what)
            return
        wanted = schema.get("type")
        if wanted is not None and not has_type(value, wanted):
            self._wrong_type(node, schema, what)
        elif "const" in schema:
            self._format_version(node)
        elif "enum" in schema:
            self._not_in_enum(node, schema, what)
        elif type(value) is dict:
            self._mapping(node, schema, key_place, what)
        elif type(value) is list:
            self._list(node, schema, what)
        else:
            self._bounds(node, schema, what)

    def _any_of(self, node: Node, schema: Schema, key_place: Place, what: str) -> None:
        """The branch of the value's own kind explains; where there is none, all branches are what was expected."""
        for branch in map(_resolved, schema["anyOf"]):
            kind = branch.get("type", "string" if "enum" in branch else None)
            if kind is None or not has_type(node.value, kind):
                continue
            if kind == "string" and "enum" not in branch:
                break  # text that is no expression: say everything that may stand here
            self.explain(node, branch, key_place, what)
            return
        self._wrong_type(node, schema, what)

    def _wrong_type(self, node: Node, schema: Schema, what: str) -> None:
        own = as_a_default(what.strip("`"), node.value) if "properties" in str(schema.get("anyOf", "")) else None
        hint = self._fix(node, schema) or own or as_elsewhere(node.value, what) or _example(schema)
        if hint is None and type(node.value) in (int, float, bool) and "array" in _kinds(schema):
            hint = f"A list of one is written `[{node.raw}]`."
        self.problems.error(WRONG_TYPE, f"{what}: expected {expected(schema)}, found {found(node)}", node.place, hint)

    def _fix(self, node: Node, schema: Schema) -> str | None:
        value = node.value
        kinds = _kinds(schema)
        if _is_duration(schema) and type(value) in (int, float):
            return f"Write the unit: `{node.raw}s`, `{node.raw}m` or `{node.raw}h`."
        if type(value) is str and "uses" in schema.get("properties", {}) and re.fullmatch(r"[\w./-]+", value):
            return f"Write `{{uses: {value}, with: …}}`."
        if node.raw is not None and kinds == {"string"} and value is not None:
            return f'If text is meant, write it in quotes: "{node.raw}".'
        if type(value) is str:
            if "object" in kinds and re.match(r"[A-Za-z_-]+:\S", value) and not node.style:
                key, _, rest = value.partition(":")
                return f"Write a space after the colon: `{key}: {rest}`."
            if "$" in str(schema.get("anyOf", "")) or "anyOf" in schema:
                return self._expression_fix(node, kinds)
            if kinds == {"boolean"} and value.lower() in WORDS_OF_OLD_YAML:
                return f"`{value}` is text in YAML 1.2: write `{WORDS_OF_OLD_YAML[value.lower()]}`."
            if node.style and kinds & {"integer", "number", "boolean"}:
                return (
                    f"Write it without quotes: {value}." if re.fullmatch(r"-?\d+(\.\d+)?|true|false", value) else None
                )
        return None

    def _expression_fix(self, node: Node, kinds: set[str]) -> str | None:
        value = str(node.value).strip()
        if node.style and re.fullmatch(r"-?\d+(\.\d+)?|true|false", value) and kinds & {"integer", "number", "boolean"}:
            return f"Write it without quotes: {value}."
        if re.match(r"(inputs|steps|item|index|origin|previous)\b", value):
            return f"An expression stands in `${{{{ }}}}`: `${{{{ {value} }}}}`."
        return None

    def _format_version(self, node: Node) -> None:
        if type(node.value) in (int, float):
            message = f"format {node.raw or node.value} is not one that this zenflow reads; it reads format 1"
            self.problems.error(FORMAT_VERSION, message, node.place, "Write `zenflow: 1`, or use a newer zenflow.")
        else:
            self.problems.error(
                WRONG_TYPE, f"`zenflow`: expected 1, found {found(node)}", node.place, "Write `zenflow: 1`."
            )

    def _not_in_enum(self, node: Node, schema: Schema, what: str) -> None:
        allowed = [str(value) for value in schema["enum"]]
        near = value_called(str(node.value), allowed)
        near = near or (nearest(node.value, allowed) if type(node.value) is str else None)
        if "integer" in allowed and type(node.value) is str:  # the type of an input
            near = type_called(node.value) or near
        hint = f"Did you mean `{near}`? " if near else ""
        if not hint and "integer" in allowed and what != "`type`":
            hint = f"{as_a_default(what.strip('`'), node.value)} "
        listing = ", ".join(f"`{value}`" for value in allowed)
        self.problems.error(
            NOT_ALLOWED,
            f"{what}: {found(node)} is not one of the allowed values",
            node.place,
            f"{hint}Allowed: {listing}.",
        )

    def _mapping(self, node: Node, schema: Schema, key_place: Place, what: str) -> None:
        if len(node.entries) < schema.get("minProperties", 0):
            self.problems.error(EMPTY, f"{what}: there must be at least one", node.place, _example(schema))
        self._missing(node, schema, key_place, what)
        properties = schema.get("properties", {})
        own = tuple(pattern.removeprefix("^") for pattern in schema.get("patternProperties", ()))
        rest = schema.get("additionalProperties", True)
        for key, (key_node, value) in node.entries.items():
            if key in properties:
                self.explain(value, properties[key], key_node.place, f"`{key}`")
            elif own and key.startswith(own):
                continue
            elif rest is False:
                left_empty = "with" if "with" in node.value and node.value["with"] is None else ""
                self._unknown_key(key, key_node, value, properties, what, left_empty)
            else:
                if "propertyNames" in schema:
                    self._name(key, key_node, schema["propertyNames"])
                if isinstance(rest, dict):
                    self.explain(value, rest, key_node.place, f"`{key}`")

    def _missing(self, node: Node, schema: Schema, key_place: Place, what: str) -> None:
        for key in schema.get("required", ()):
            if key in node.entries or self._is_there_misspelt(key, node, schema):
                continue
            inner = _resolved(schema["properties"][key])
            self.problems.error(
                MISSING_KEY, f"{what} has no `{key}`", key_place, f"{inner['description']}{_as_line(key, inner)}"
            )

    def _is_there_misspelt(self, key: str, node: Node, schema: Schema) -> bool:
        """Whether an unknown key stands for it: that is told, and then nothing is missing."""
        known = schema.get("properties", {})
        return any(name not in known and _meant(name, known) == key for name in node.entries)

    def _done_elsewhere(self, key: str, value: Node, in_a_step: bool) -> str | None:
        if in_a_step and value.get("uses") is not None:
            return f"If `{key}` is a step, it stands one level further out. "
        instead = equivalent_of(key)
        return f"{instead} " if instead else None

    def _unknown_key(
        self, key: str, key_node: Node, value: Node, properties: Mapping[str, Any], what: str, left_empty: str
    ) -> None:
        near = _meant(key, properties)
        hint = f"Did you mean `{near}`? " if near else ""
        if not hint and "with" in properties:
            hint = "Parameters of an action or a tool stand under `with`. "
            if left_empty:
                hint = "Indent it: it belongs below `with:`, which is empty. "
        if key in ("description", "comment", "note"):
            hint = f"Write a comment, `# …`, or `x-{key}`. "
        elif not near and "properties" not in properties:
            hint = self._done_elsewhere(key, value, "with" in properties) or hint
        allowed = ", ".join(f"`{name}`" for name in properties)
        self.problems.error(
            UNKNOWN_KEY,
            f"unknown key `{key}` in {what}",
            key_node.place,
            f"{hint}Allowed: {allowed}, and `x-…` for your own.",
        )

    def _name(self, key: str, key_node: Node, schema: Schema) -> None:
        schema = _resolved(schema)
        if not valid_against(key, schema):
            better = re.sub(r"[^A-Za-z0-9_]", "_", key)[:64]
            better = better if re.match(r"[A-Za-z_]", better) else f"_{better}"[:64]
            better = better if re.search(r"[A-Za-z0-9]", better) else "portrait"
            self.problems.error(
                BAD_NAME, f"`{key}` is no name", key_node.place, f"{schema['description']} For instance `{better}`."
            )

    def _list(self, node: Node, schema: Schema, what: str) -> None:
        if len(node.items) < schema.get("minItems", 0):
            self.problems.error(EMPTY, f"{what}: the list is empty", node.place, _example(schema))
        for position, item in enumerate(node.items):
            if "items" in schema:
                self.explain(item, schema["items"], item.place, f"element {position} of {what}")

    def _bounds(self, node: Node, schema: Schema, what: str) -> None:
        value = node.value
        if type(value) is str:
            hint = in_one_unit(value) if _is_duration(schema) else None
            text = f"{what}: {found(node)} does not fit. {schema['description']}"
            self.problems.error(BAD_FORM, text, node.place, hint or _example(schema))
            return
        low, high = schema.get("minimum"), schema.get("maximum")
        is_low = low is not None and value < low
        limit = f"at least {low}" if is_low else f"at most {high}"
        hint = f"Write {low if is_low else high}, or a number {'above' if is_low else 'below'} it."
        self.problems.error(OUT_OF_RANGE, f"{what} is {value}; it must be {limit}", node.place, hint)


def _resolved(schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = recipe_schema()["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _is_duration(schema: Schema) -> bool:
    return str(schema.get("pattern", "")).endswith("[smh]$")


def _kinds(schema: Schema) -> set[str]:
    schema = _resolved(schema)
    if "anyOf" in schema:
        return set().union(*(_kinds(branch) for branch in schema["anyOf"]))
    kinds = schema.get("type", "string" if "enum" in schema else ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


def expected(schema: Schema) -> str:
    """What may stand there, in words."""
    schema = _resolved(schema)
    if "anyOf" in schema:
        return _or([expected(branch) for branch in schema["anyOf"]])
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("pattern", "").startswith(r"\$"):
        return "an expression `${{ … }}`"
    if _is_duration(schema):
        return "a duration with its unit, such as `90s`"
    kinds = schema.get("type", "string")
    return _or([_TYPE_WORDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"])


def found(node: Node) -> str:
    """What stands there, in words."""
    value = node.value
    if value is None:
        return "nothing" if not node.raw else f"null (`{node.raw}`)"
    if type(value) is str:
        shown = value if len(value) <= 40 else value[:39] + "…"
        return f"text {json.dumps(shown, ensure_ascii=False)}"
    if type(value) is bool:
        return f"`{node.raw or json.dumps(value)}`"
    if type(value) in (int, float):
        return f"the number {node.raw or value}"
    return "a mapping" if type(value) is dict else "a list"


def _example(schema: Schema) -> str | None:
    examples = _resolved(schema).get("examples", ())
    return f"For example {_or([f'`{_shown(example)}`' for example in examples])}." if examples else None


def _as_line(key: str, schema: Schema) -> str:
    examples = schema.get("examples", ())
    return f" For example `{key}: {_shown(examples[0])}`." if examples else ""


def _shown(example: Any) -> str:
    """As it would stand in YAML on one line."""
    if isinstance(example, dict):
        return "{" + ", ".join(f"{key}: {_inside(value)}" for key, value in example.items()) + "}"
    if isinstance(example, list):
        return "[" + ", ".join(_inside(value) for value in example) + "]"
    if isinstance(example, str):
        return example
    return json.dumps(example)


def _inside(example: Any) -> str:
    """The same inside brackets, where an expression is quoted (rule 9)."""
    shown = _shown(example)
    return json.dumps(shown, ensure_ascii=False) if isinstance(example, str) and "{{" in example else shown


def _or(words: Iterable[str]) -> str:
    listed = list(dict.fromkeys(words))
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"
