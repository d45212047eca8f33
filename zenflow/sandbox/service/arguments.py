"""JSON Schemas of the arguments of the MCP tools, as the documentation states them, and their check.

A wrong argument is a tool result with `isError`, not a protocol error (troubleshooting page).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from zenflow.sandbox.checks import violations_of
from zenflow.sandbox.refusals import invalid

Schema = dict[str, Any]

MEDIA_TYPES = (
    *("image/png", "image/jpeg", "image/jpg", "image/webp", "image/heic", "image/heif"),
    *("video/mp4", "video/mov", "video/quicktime"),
    *("audio/mpeg", "audio/mp3", "audio/wav", "audio/x-wav", "audio/x-m4a"),
)

UUID: Schema = {"type": "string", "format": "uuid"}
TEXT: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean"}
_FORMAT: Schema = {"type": "string", "enum": ["markdown", "json"], "default": "markdown"}
LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
OFFSET: Schema = {"type": "integer", "minimum": 0, "default": 0}
INPUTS: Schema = {
    "type": "array",
    "items": {"type": "object"},
    "minItems": 1,
    "maxItems": 50,
    "description": "One object per parallel call, each by the tool's input_schema.",
}
COMMENT: Schema = {"type": "string", "maxLength": 500, "description": "Free-form note attached to the task."}
ASSET_IDS: Schema = {"type": "array", "items": UUID, "minItems": 1, "maxItems": 50}
REFERENCES: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"asset_id": UUID, "role": TEXT, "description": {"type": "string", "maxLength": 800}},
        "required": ["asset_id"],
        "additionalProperties": False,
    },
}
TIMEOUT: Schema = {"type": "integer", "minimum": 5, "maximum": 50, "default": 30}
INTERVAL: Schema = {"type": "integer", "minimum": 1, "maximum": 30, "default": 2}


def flag(default: bool, description: str = "") -> Schema:
    return {**FLAG, "default": default, **({"description": description} if description else {})}


def choice(*values: str, default: str | None = None) -> Schema:
    return {"type": "string", "enum": list(values), **({"default": default} if default else {})}


def arguments(required: str = "", /, **properties: Schema) -> Schema:
    """An arguments object; `required` names fields, separated by blanks."""
    return {
        "type": "object",
        "properties": {**properties, "response_format": _FORMAT},
        "required": required.split(),
        "additionalProperties": False,
    }


def validator(schema: Schema) -> Draft202012Validator:
    return Draft202012Validator(schema, format_checker=FormatChecker(["uuid"]))


def check(checker: Draft202012Validator, given: Mapping[str, Any], tool: str) -> dict[str, Any]:
    """The arguments with defaults filled in and nulls left out; raises 422 with every violation."""
    present = {name: _whole(value) for name, value in given.items() if value is not None}
    found = [violation for error in checker.iter_errors(present) for violation in violations_of(error, "")]
    if found:
        raise invalid(found, f"the arguments of {tool} are not valid")
    fields: Mapping[str, Schema] = checker.schema["properties"]  # type: ignore[index]
    defaults = {name: field["default"] for name, field in fields.items() if "default" in field}
    return {**defaults, **present}


def _whole(value: Any) -> Any:
    """JSON knows one kind of number: 20.0 is the integer 20."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
