"""A tool as the service's `get_tool_schema` answers it, read into a `Tool`, and written back (docs/service.md, “Generation”).

Reads liberally: only the name must be there. Knows nothing of the wire or the disk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from zenflow.catalog.model import Model, Tool
from zenflow.credits import as_number, price_from
from zenflow.ids import digest_of

_ADULT_WORDS = ("nsfw", "adult", "18+", "explicit")
_TRUSTED_KEYS = ("trusted_only", "trusted", "requires_trusted", "is_trusted_only")
_TRUSTED_MARKS = ("(trusted)", "(trusted only)", "\N{LOCK}")  # docs/service.md, “Troubleshooting”


def is_blocked(flag: bool, blocked_models: Collection[str], models: Collection[str]) -> bool:
    """Tell whether the whole tool is switched off; a list that names some models switches off those alone."""
    if not blocked_models:
        return flag
    return "*" in blocked_models or (bool(models) and set(models) <= set(blocked_models))


def is_trusted_only(*rows: Mapping[str, Any]) -> bool:
    """Tell whether a row asks for Trusted Status: by a flag of its own, or by the mark in its text."""
    for row in rows:
        texts = [text for key in ("description", "notes") if isinstance(text := row.get(key), str)]
        if any(str(row.get(key)).lower() in ("true", "yes", "1") for key in _TRUSTED_KEYS) or any(
            m in t.lower() for t in texts for m in _TRUSTED_MARKS
        ):
            return True
    return False


def tool_from_document(
    document: Mapping[str, Any],
    *,
    blocked: bool = False,
    blocked_models: Iterable[str] = (),
    adult_models: Iterable[str] | None = None,
    trusted_only: bool = False,
) -> Tool:
    """The tool of one answer. `blocked_models` is the listing's; `["*"]` blocks them all. `adult_models` None: read here."""
    closed = frozenset(blocked_models)
    adult = None if adult_models is None else frozenset(adult_models)
    rows = document.get("models")
    models = tuple(model_from_row(row, closed, adult) for row in rows if _is_row(row)) if isinstance(rows, list) else ()
    input_schema, output_schema = _object(document.get("input_schema")), _object(document.get("output_schema"))
    questions = document.get("format_questions")
    return Tool(
        name=str(document.get("name", "")),
        description=_text(document.get("description")) or "",
        input_schema=input_schema,
        output_schema=output_schema,
        models=models,
        base_price=price_from(document.get("price")),
        blocked=is_blocked(blocked, closed, [model.value for model in models]),
        trusted_only=trusted_only or is_trusted_only(document),
        prompt_guide=_text(document.get("prompt_guide")),
        model_selection_guide=_text(document.get("model_selection_guide")),
        format_questions=tuple(questions) if isinstance(questions, list) else (),
        digest=digest_of([input_schema, output_schema, [dict(model.row) for model in models]]),
    )


def model_from_row(
    row: Mapping[str, Any], blocked: frozenset[str] = frozenset(), adult: frozenset[str] | None = None
) -> Model:
    value = str(row["value"])
    return Model(
        value=value,
        description=_text(row.get("description")) or "",
        is_default=row.get("is_default") is True,
        trusted_only=is_trusted_only(row),
        adult=_is_adult(row) if adult is None else value in adult,
        blocked="*" in blocked or value in blocked,
        row=dict(row),
    )


def document_of(tool: Tool) -> dict[str, Any]:
    """The answer again, as the service gave it."""
    document: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description,
        "price": as_number(tool.base_price),
        "input_schema": tool.input_schema,
        "output_schema": tool.output_schema,
    }
    if tool.models:
        document["models"] = [dict(model.row) or _row_of(model) for model in tool.models]
    if tool.prompt_guide is not None:
        document["prompt_guide"] = tool.prompt_guide
    if tool.model_selection_guide is not None:
        document["model_selection_guide"] = tool.model_selection_guide
    if tool.format_questions:
        document["format_questions"] = list(tool.format_questions)
    return document


def _row_of(model: Model) -> dict[str, Any]:
    row: dict[str, Any] = {"value": model.value, "description": model.description}
    if model.is_default:
        row["is_default"] = True
    if model.trusted_only:
        row["trusted_only"] = True
    if model.adult:
        row["output_traits"] = ["nsfw"]
    return row


def _is_adult(row: Mapping[str, Any]) -> bool:
    """The service has no single mark: an adult word in the name or in `output_traits` counts."""
    traits = row.get("output_traits")
    words = f"{row.get('value', '')} {traits if traits is not None else ''}".lower()
    return any(word in words for word in _ADULT_WORDS)


def _is_row(row: Any) -> bool:
    return isinstance(row, Mapping) and isinstance(row.get("value"), str)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
