"""A tool's answer in the three forms that the service gives it: structured, Markdown, JSON text.

`response_format` changes the text alone; `structuredContent` is always complete; text above 25,000 characters is cut
with a hint (generation and troubleshooting pages).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zenflow.sandbox.refusals import Refusal

TEXT_LIMIT = 25_000
_HINT = (
    '\n\n[Response truncated at 25,000 characters. Paginate with limit and offset, or set response_format to "json"; '
    "the full data is in structuredContent.]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a tool found: data, a heading, and what only people read."""

    data: dict[str, Any]
    title: str
    remark: str = ""  # Markdown only
    pictures: tuple[tuple[str, str], ...] = ()  # media type and base64 of inline previews


def page(total: int, offset: int, limit: int, items: list[dict[str, Any]]) -> dict[str, Any]:
    """The paginated envelope of every list tool."""
    more = offset + len(items) < total
    envelope = {"total": total, "count": len(items), "offset": offset, "items": items, "has_more": more}
    if more:
        envelope["next_offset"] = offset + limit
    return envelope


def as_result(answer: Answer, response_format: str) -> dict[str, Any]:
    """The answer as a `tools/call` result on the wire."""
    text = json.dumps(answer.data, separators=(",", ":")) if response_format == "json" else as_markdown(answer)
    content: list[dict[str, Any]] = [{"type": "text", "text": cut(text)}]
    content += [{"type": "image", "mimeType": kind, "data": data} for kind, data in answer.pictures]
    return {"content": content, "structuredContent": answer.data, "isError": False, "resultType": "complete"}


def as_refusal(refusal: Refusal) -> dict[str, Any]:
    return {
        "content": [{"type": "text", "text": cut(refusal.text)}],
        "structuredContent": refusal.structured,
        "isError": True,
        "resultType": "complete",  # required by the current protocol, dropped for older ones
    }


def as_markdown(answer: Answer) -> str:
    lines = [f"# {answer.title}", *_bullets(answer.data, 0)]
    if answer.remark:
        lines += ["", answer.remark]
    return "\n".join(lines)


def cut(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - len(_HINT)] + _HINT


def _bullets(data: Mapping[str, Any], depth: int) -> list[str]:
    lines: list[str] = []
    margin = "  " * depth
    for name, value in data.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{margin}- **{name}**:")
            for element in value:
                lines.append(f"{margin}  - " + ", ".join(f"{key}: {_inline(inner)}" for key, inner in element.items()))
        else:
            lines.append(f"{margin}- **{name}**: {_inline(value)}")
    return lines


def _inline(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
