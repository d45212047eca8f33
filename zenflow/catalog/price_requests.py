"""The price question of one call: its parameters, with stand-ins for what is not made yet (docs/money.md, “Budget”).

Knows nothing of who asks it. A stand-in satisfies the field's schema as far as that can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.catalog.check import form_of, with_default_model
from zenflow.catalog.model import Tool
from zenflow.catalog.plain_schema import has_pending
from zenflow.catalog.prices import PLACEHOLDER_ASSET, PriceRequest, price_request_key
from zenflow.catalog.schema import Schema, is_asset_field, item_of, required_of, resolved, types_of
from zenflow.expr.values import Pending, Skipped

STAND_IN_TEXT = "a text that is not written yet"


def price_request_for(tool: Tool, params: Mapping[str, Any], *, off_list: frozenset[str] = frozenset()) -> PriceRequest:
    """The question for one call. `off_list`: fields that a debit has shown not to be free of price."""
    sent = with_default_model(tool, params)
    placeholder = has_pending(sent)
    if placeholder:
        fields = form_of(tool).fields
        sent = {name: _filled(name, value, fields.get(name, {}), tool.input_schema) for name, value in sent.items()}
        sent = {name: value for name, value in sent.items() if value is not None}
    return PriceRequest(tool.name, sent, price_request_key(tool.name, sent, free_fields(tool) - off_list), placeholder)


def free_fields(tool: Tool) -> frozenset[str]:
    """The fields in which two equal price questions may differ."""
    return form_of(tool).free


def _filled(name: str, value: Any, field: Schema, root: Schema) -> Any:
    if isinstance(value, Skipped):
        return None
    if isinstance(value, Pending):
        return _placeholder(name, value, field, root)
    if isinstance(value, list):
        element = item_of(field, root)
        return [_filled(name, item, element, root) for item in value if not isinstance(item, Skipped)]
    if isinstance(value, dict):
        inner = resolved(field, root).get("properties")
        known = inner if isinstance(inner, Mapping) else {}
        return {key: _filled(key, item, resolved(known.get(key), root), root) for key, item in value.items()}
    return value


_DEPTH = 8  # of lists in objects in lists: a schema may hold itself
_MOST_ELEMENTS = 1000  # a foreign schema may ask for any number of them
_LONGEST_TEXT = 10_000


def _placeholder(name: str, pending: Pending, field: Schema, root: Schema, depth: int = 0) -> Any:
    kinds = types_of(field) or (pending.type.name,)
    if "array" in kinds and depth < _DEPTH:
        element = item_of(field, root)
        one = _placeholder(name, Pending(pending.on, pending.type.items or pending.type), element, root, depth + 1)
        return [one] * _length(pending, field)
    if is_asset_field(name, field, root) or pending.type.name == "asset":
        return PLACEHOLDER_ASSET
    for key in ("default", "const"):
        if field.get(key) is not None:
            return field[key]
    choices = field.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    if "integer" in kinds or "number" in kinds:
        return _number(field)
    if "boolean" in kinds:
        return False
    if "object" in kinds and depth < _DEPTH:
        known = field.get("properties", {})
        names = required_of(field, root)
        return {n: _placeholder(n, Pending(), resolved(known.get(n), root), root, depth + 1) for n in names}
    return _text(field)


def _length(pending: Pending, field: Schema) -> int:
    """As many as are asked for, where whoever answers says so (`expected`), within the schema's bounds."""
    known = pending.type.count
    length = known if known is not None else getattr(pending.on, "expected", None)
    least = field.get("minItems")
    length = max(length if isinstance(length, int) else 1, least if isinstance(least, int) else 1)
    most = field.get("maxItems")
    return min(length, most if isinstance(most, int) else length, _MOST_ELEMENTS)


def _number(field: Schema) -> int | float:
    for key, step in (("minimum", 0), ("exclusiveMinimum", 1), ("maximum", 0), ("exclusiveMaximum", -1)):
        bound = field.get(key)
        if isinstance(bound, (int, float)) and not isinstance(bound, bool):
            return bound + step
    return 1


def _text(field: Schema) -> str:
    least, most = field.get("minLength"), field.get("maxLength")
    text = STAND_IN_TEXT
    if isinstance(least, int) and len(text) < least:
        text = text.ljust(min(least, _LONGEST_TEXT), ".")
    return text[:most] if isinstance(most, int) and most > 0 else text
