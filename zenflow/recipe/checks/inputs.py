"""The declared inputs: that each fragment can be met, that its default meets it, and that somebody reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zenflow.media.data_urls import is_data_url, is_web_url
from zenflow.patterns import BadPattern, pattern_of
from zenflow.problems import Problems
from zenflow.recipe.checks.parameters import OUTSIDE
from zenflow.recipe.checks.templates import Placed
from zenflow.recipe.model import InputSpec, PathKey, Recipe
from zenflow.recipe.schema.values import is_uuid, media_leaves, mismatches
from zenflow.recipe.trees import leads_out

BAD_PATTERN = "ZF210"
IMPOSSIBLE = "ZF211"
KEY_OF_OTHER_TYPE = "ZF212"
BAD_DEFAULT = "ZF213"
EXPRESSION_IN_DEFAULT = "ZF244"
_READ_BY_NAME = re.compile(r"\binputs\.([A-Za-z_]\w*)")
UNUSED = "ZF240"
_KEYS_OF: Mapping[str, frozenset[str]] = {
    "items": frozenset({"array"}),
    "minItems": frozenset({"array"}),
    "maxItems": frozenset({"array"}),
    "properties": frozenset({"object"}),
    "required": frozenset({"object"}),
    "minimum": frozenset({"integer", "number"}),
    "maximum": frozenset({"integer", "number"}),
    "minLength": frozenset({"string"}),
    "maxLength": frozenset({"string"}),
    "pattern": frozenset({"string"}),
}


def check_inputs(recipe: Recipe, problems: Problems) -> None:
    """Reports fragments that say nothing or contradict themselves."""
    for spec in recipe.inputs.values():
        before = len(problems)
        for path, fragment in _fragments(spec.schema, ()):
            _check_fragment(spec, path, fragment, problems)
        if len(problems) == before:
            _check_default(spec, recipe, problems)
            _check_expression(spec, problems)


def _fragments(schema: Mapping[str, Any], path: PathKey) -> Iterator[tuple[PathKey, Mapping[str, Any]]]:
    yield path, schema
    if isinstance(schema.get("items"), dict):
        yield from _fragments(schema["items"], (*path, "items"))
    properties = schema.get("properties")
    if isinstance(properties, dict):
        for key, inner in properties.items():
            if isinstance(inner, dict):
                yield from _fragments(inner, (*path, "properties", key))


def _check_fragment(spec: InputSpec, path: PathKey, fragment: Mapping[str, Any], problems: Problems) -> None:
    kind = fragment.get("type")
    for key, kinds in _KEYS_OF.items():
        if key in fragment and type(kind) is str and kind != "any" and kind not in kinds:
            message = f"`{key}` says nothing about type {kind}"
            problems.error(
                KEY_OF_OTHER_TYPE, message, spec.places.key(*path, key), f"It is for type {' or '.join(sorted(kinds))}."
            )
    pattern = fragment.get("pattern")
    if type(pattern) is str:
        try:
            pattern_of(pattern)
        except BadPattern as bad:
            place = spec.places.value(*path, "pattern")
            problems.error(BAD_PATTERN, f"the pattern cannot be used: {bad}", place, bad.hint)
    for low, high in (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")):
        bounds = fragment.get(low), fragment.get(high)
        if all(type(bound) in (int, float) for bound in bounds) and bounds[0] > bounds[1]:  # type: ignore[operator]
            message = f"`{low}` {bounds[0]} is above `{high}` {bounds[1]}: no value fits"
            problems.error(IMPOSSIBLE, message, spec.places.value(*path, low))
    _check_required(spec, path, fragment, problems)


def _check_required(spec: InputSpec, path: PathKey, fragment: Mapping[str, Any], problems: Problems) -> None:
    required, properties = fragment.get("required"), fragment.get("properties")
    if type(required) is not list or type(properties) is not dict:
        return
    for position, name in enumerate(required):
        if type(name) is str and name not in properties:
            place = spec.places.value(*path, "required", position)
            problems.error(
                IMPOSSIBLE,
                f"`{name}` is required, and is not among the properties",
                place,
                f"The properties: {', '.join(f'`{key}`' for key in properties)}.",
            )


def _check_default(spec: InputSpec, recipe: Recipe, problems: Problems) -> None:
    if spec.default is None:
        return
    for mismatch in mismatches(spec.default, spec.schema):
        problems.error(
            BAD_DEFAULT,
            f"the default does not fit its own type: {mismatch.message}",
            spec.places.value("default", *mismatch.path),
            mismatch.hint,
        )
    for path, _, text in media_leaves(spec.default, spec.schema):
        local = not is_uuid(text) and not is_web_url(text) and not is_data_url(text)
        if local and leads_out(text, recipe.path, recipe.boundary):
            problems.error(
                OUTSIDE,
                "the default leads out of the workspace or repository of the recipe",
                spec.places.value("default", *path),
                "Put the file beside the recipe, or name it when you run the recipe.",
            )


def _check_expression(spec: InputSpec, problems: Problems) -> None:
    """A default is sent as it stands: an expression in it would be paid for as text."""
    for path, text in _texts(spec.default, ()):
        if "${{" in text:
            message = f"the default of `{spec.name}` holds an expression, and a default is a plain value"
            hint = "Write the expression where the input is read: `${{ inputs.NAME | default(…) }}`, with `default: null` here."
            problems.error(EXPRESSION_IN_DEFAULT, message, spec.places.value("default", *path), hint)


def _texts(value: Any, path: PathKey) -> Iterator[tuple[PathKey, str]]:
    if type(value) is str:
        yield path, value
    for key, item in enumerate(value) if type(value) is list else value.items() if type(value) is dict else ():
        yield from _texts(item, (*path, key))


def check_unused_inputs(recipe: Recipe, templates: Sequence[Placed], problems: Problems) -> None:
    """An input that no expression reads is most often a slip of the pen."""
    read: set[object] = set()
    for placed in templates:
        for reference in placed.template.reads:
            if reference.root == "inputs":
                if not reference.path or type(reference.path[0]) is not str:
                    return
                read.add(reference.path[0])
    for spec in recipe.inputs.values():  # told already: an expression in a default reads nothing
        read |= {name for _, text in _texts(spec.default, ()) for name in _READ_BY_NAME.findall(text) if "${{" in text}
    for name in recipe.inputs:
        if name not in read:
            hint = f"Use `${{{{ inputs.{name} }}}}` somewhere, or leave it out."
            problems.warning(UNUSED, f"the input `{name}` is never read", recipe.places.key("inputs", name), hint)
