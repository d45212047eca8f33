"""Schemas of servers that do as they like: nothing crashes, and what can be read is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from zenflow.catalog.check import check_call
from zenflow.catalog.model import Catalog, Tool
from zenflow.expr.values import Pending, Type

MakeTool = Callable[..., Tool]


def codes(tool: Tool, params: dict[str, Any]) -> list[tuple[str, str]]:
    return [(p.code, p.severity) for p in check_call(tool, params)]


def test_references_into_defs_are_followed(make_tool: MakeTool) -> None:
    schema = {
        "properties": {"size": {"$ref": "#/$defs/Size"}},
        "$defs": {"Size": {"type": "string", "enum": ["S", "L"]}},
    }
    assert codes(make_tool(schema), {"size": "XL"}) == [("ZF404", "error")]
    assert codes(make_tool(schema), {"size": "L"}) == []


def test_reads_an_optional_union_with_null_as_itself(make_tool: MakeTool) -> None:
    schema = {"properties": {"n": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}}}
    assert codes(make_tool(schema), {"n": 3}) == []
    assert codes(make_tool(schema), {"n": "x"}) == [("ZF403", "error")]


def test_a_draft_07_schema_is_checked_by_its_own_words(make_tool: MakeTool) -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {"n": {"type": "integer"}},
        "properties": {"n": {"$ref": "#/definitions/n"}},
    }
    assert codes(make_tool(schema), {"n": "x"}) == [("ZF403", "error")]


def test_unknown_formats_and_keywords_stop_nobody(make_tool: MakeTool) -> None:
    schema = {"properties": {"a": {"type": "string", "format": "moon-phase", "nullable": True, "x-ui": 1}}}
    assert codes(make_tool(schema), {"a": "full"}) == []


@pytest.mark.parametrize(
    "field",
    [
        {"type": "strin"},
        {"type": "string", "pattern": "("},
        {"minimum": "three"},
        {"$ref": "#/nowhere"},
        {"$ref": "https://example.invalid/other.json"},
        {"type": 7},
    ],
)
def test_a_broken_field_is_a_warning_and_the_others_are_checked(make_tool: MakeTool, field: Any) -> None:
    tool = make_tool({"properties": {"odd": field, "n": {"type": "integer"}}, "required": ["n"]})
    found = codes(tool, {"odd": "x", "n": "y"})
    assert ("ZF403", "error") in found
    assert [severity for code, severity in found if code != "ZF403"] == ["warning"]


def test_a_schema_that_refers_to_itself_ends(make_tool: MakeTool) -> None:
    tool = make_tool({"properties": {"a": {"$ref": "#/properties/a"}, "n": {"type": "integer"}}})
    assert ("ZF403", "error") in codes(tool, {"a": "x", "n": "y"})


@pytest.mark.parametrize("schema", [{}, {"properties": []}, {"properties": None, "required": 3}, {"type": "object"}])
def test_an_empty_schema_forbids_nothing(make_tool: MakeTool, schema: Any) -> None:
    assert all(severity == "warning" for _, severity in codes(make_tool(schema), {"anything": 1}))


def test_silence_about_more_fields_means_no(make_tool: MakeTool) -> None:
    assert codes(make_tool({"properties": {"a": {}}}), {"b": 1}) == [("ZF401", "error")]
    assert codes(make_tool({"properties": {"a": {}}, "additionalProperties": True}), {"b": 1}) == []


def test_a_pending_value_passes_one_branch_of_a_union(make_tool: MakeTool) -> None:
    schema = {"properties": {"v": {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer"}]}}}
    assert codes(make_tool(schema), {"v": Pending("x", Type("integer"))}) == []
    assert codes(make_tool(schema), {"v": Pending("x", Type("boolean"))}) == [("ZF403", "error")]


def test_an_object_with_pending_parts_is_not_compared_as_a_whole(make_tool: MakeTool) -> None:
    schema = {"properties": {"box": {"type": "object", "enum": [{"a": 1}]}}}
    assert codes(make_tool(schema), {"box": {"a": Pending()}}) == []


def test_nested_fields_are_named_by_their_path(make_tool: MakeTool) -> None:
    schema = {
        "properties": {
            "refs": {
                "type": "array",
                "items": {"type": "object", "properties": {"role": {"type": "string"}}, "additionalProperties": False},
            }
        }
    }
    [problem] = check_call(make_tool(schema), {"refs": [{"role": "a"}, {"rol": "b"}]})
    assert (problem.code, "refs[1].rol" in problem.message) == ("ZF401", True)


def conditional(catalog: Catalog, rule: dict[str, Any]) -> Tool:
    """`by_prompt` with one more rule at the root of its schema."""
    tool = catalog.tools["by_prompt"]
    return replace(tool, input_schema={**tool.input_schema, **rule}, digest=str(rule))


CALL = {"positive_prompt": "x", "model": "SEEDREAM_5", "tier": "4K"}
WHEN = {"if": {"properties": {"tier": {"const": "4K"}}, "required": ["tier"]}, "then": {"required": ["ratio"]}}


@pytest.mark.parametrize("rule", [WHEN, {"allOf": [WHEN]}])
def test_a_parameter_that_another_calls_for_is_missing(catalog: Catalog, rule: dict[str, Any]) -> None:
    tool = conditional(catalog, rule)
    (problem,) = check_call(tool, CALL)
    assert (problem.code, problem.message) == ("ZF402", "`by_prompt` needs `ratio` when `tier` is 4K")
    assert "Add `ratio:" in str(problem.hint)
    assert check_call(tool, {**CALL, "ratio": "3:4"}) == []
    assert check_call(tool, {**CALL, "tier": "2K"}) == []


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
def test_one_of_several_parameters_is_missing(catalog: Catalog, union: str) -> None:
    tool = conditional(catalog, {union: [{"required": ["ratio"]}, {"required": ["seed", "batch_size"]}]})
    (problem,) = check_call(tool, CALL)
    assert (problem.code, problem.message) == ("ZF402", "`by_prompt` needs `ratio`, or `seed` and `batch_size`")
    assert check_call(tool, {**CALL, "ratio": "3:4"}) == []


@pytest.mark.parametrize(("name", "value"), [("ratio", "16x9"), ("batch_size", 9), ("tier", "4k"), ("seed", "a")])
def test_an_optional_field_is_told_like_a_plain_one(catalog: Catalog, name: str, value: Any) -> None:
    """`anyOf: [X, null]` is what many servers write for an optional parameter."""
    tool = catalog.tools["by_prompt"]
    nullable = {
        field: {"anyOf": [schema, {"type": "null"}], "default": None} if field != "positive_prompt" else schema
        for field, schema in tool.input_schema["properties"].items()
    }
    other = replace(tool, input_schema={**tool.input_schema, "properties": nullable}, digest="nullable")
    call = {"positive_prompt": "x", "model": "SEEDREAM_5", name: value}
    assert check_call(other, call) == check_call(tool, call) != []


def test_a_reference_to_nowhere_is_told_in_words(catalog: Catalog) -> None:
    tool = conditional(catalog, {"allOf": [{"$ref": "#/$defs/gone"}]})
    (problem,) = check_call(tool, CALL)
    assert (problem.code, problem.severity) == ("ZF411", "warning")
    assert "/$defs/gone` leads nowhere" in problem.message
