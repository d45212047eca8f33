"""The quick yes is never a wrong yes: whatever `fits` lets pass, the JSON Schema library lets pass too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zenflow.catalog.partial_validation import errors_of, validator_of
from zenflow.catalog.plain_schema import SchemaTrouble, fits, is_plain
from zenflow.catalog.snapshot import read_snapshot
from zenflow.expr.values import Pending, Type

pytestmark = pytest.mark.slow

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 6) | st.sampled_from([1.0, 2.5, -0.0, "", "a", "ab", "abc1"])
    | st.sampled_from([Pending(), Pending(type=Type("string")), Pending(type=Type("integer")), Pending(type=Type("array"))]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_TYPES = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null", "text"])
_BOUNDS = st.integers(-1, 4) | st.sampled_from([1.5, "2", True, None])


def _schemas(inner: Any) -> Any:
    named = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": _TYPES | st.lists(_TYPES, max_size=3),
            "enum": st.lists(VALUES, max_size=3),
            "const": VALUES,
            "minimum": _BOUNDS,
            "maximum": _BOUNDS,
            "exclusiveMinimum": _BOUNDS,
            "minLength": _BOUNDS,
            "maxLength": _BOUNDS,
            "minItems": _BOUNDS,
            "maxItems": _BOUNDS,
            "pattern": st.sampled_from(["^a", "[0-9]$", "("]),
            "format": st.sampled_from(["uuid", "date"]),
            "required": st.lists(st.sampled_from("abc"), max_size=2),
            "properties": named,
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "anyOf": st.lists(inner, max_size=2),
            "allOf": st.lists(inner, max_size=2),
            "oneOf": st.lists(inner, max_size=2),
            "nullable": st.booleans(),
            "$ref": st.sampled_from(["#/$defs/a", "#/$defs/b", "#", "#/properties/a"]),
            "$defs": named,
            "x-more": st.integers(),
        },
    )


SCHEMAS = st.recursive(st.booleans() | st.just({}), _schemas, max_leaves=8)


def _without_pending(value: Any) -> Any:
    """A schema holds no pending values: `enum` and `const` were drawn from all."""
    if isinstance(value, dict):
        return {key: _without_pending(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_pending(inner) for inner in value]
    return None if isinstance(value, Pending) else value


@settings(max_examples=1500, deadline=None)
@given(SCHEMAS.map(_without_pending), VALUES)
def test_what_fits_is_found_right_by_the_library(schema: Any, value: Any) -> None:
    if not is_plain(schema, schema if isinstance(schema, dict) else {}):
        return
    validator = validator_of(schema)  # a plain schema is one that the library accepts
    if not fits(schema, value, schema):
        return
    try:
        assert errors_of(validator, value) == []
    except SchemaTrouble:
        pytest.fail("the library cannot follow a plain schema")


def test_the_tools_of_the_package_are_plain() -> None:
    """Else every command would load the library for them."""
    for tool in read_snapshot().tools.values():
        assert is_plain(tool.input_schema, tool.input_schema), tool.name


def test_a_right_recipe_is_validated_without_the_library(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        "zenflow: 1\nname: one\nbudget: 10\nsteps:\n"
        "  make: {uses: by_prompt, with: {positive_prompt: a lamp, model: QWEN_IMAGE}}\n"
        '  save: {uses: download, with: {asset_ids: "${{ steps.make.asset_ids }}"}}\n'
    )
    code = (
        "import sys; from zenflow.cli.main import run; status = run(sys.argv[1:]);"
        "print(status, *[m for m in ('jsonschema', 'zenflow.history.events', 'zenflow.repos.resolver') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, "validate", "one.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "0"
