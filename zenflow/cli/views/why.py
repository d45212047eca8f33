"""Why an instance is made new or kept: a sentence, and each part of the request that differs, old and new."""

from __future__ import annotations

import json
from typing import Any

from zenflow.app.planning.explain_reuse import InputDifference, Why
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import cut, wrap
from zenflow.plan.fingerprint import ABSENT, CONTENT

_VERDICTS = {
    "kept": "is kept",
    "new": "is made new",
    "waits": "is made new",
    "free": "costs nothing",
    "absent": "is not there",
}


def draw_why(found: Why, style: Style, width: int, indent: str = "") -> str:
    """The instance, then what it waits for, indented."""
    mark = style.good if found.verdict in ("kept", "free") else style.warn
    lines = wrap(
        f"{style.strong(found.address)} {mark(_VERDICTS[found.verdict])}: {found.reason}.", width, indent, indent
    )
    for one in found.differences:
        lines += [f"{indent}  {one.where}", *_sides(one, style, width, indent)]
    lines += [draw_why(inner, style, width, indent + "  ") for inner in found.because]
    return "\n".join(lines)


def _sides(one: InputDifference, style: Style, width: int, indent: str) -> list[str]:
    room = max(20, width - len(indent) - 6)
    return [
        f"{indent}    {style.bad('-')} {cut(_value(one.old), room)}",
        f"{indent}    {style.good('+')} {cut(_value(one.new), room)}",
    ]


def _value(value: Any) -> str:
    if value is ABSENT:
        return "(not there)"
    if isinstance(value, str) and value.startswith(CONTENT):
        return f"a file with SHA-256 {value.removeprefix(CONTENT)[:16]}…"
    return json.dumps(value, ensure_ascii=False, default=str)


def why_document(found: Why) -> dict[str, Any]:
    """As JSON; a part that is not there has no key."""
    return {
        "instance": found.address,
        "verdict": found.verdict,
        "reason": found.reason,
        "run": found.run_id,
        "differences": [
            {
                "where": one.where,
                **({} if one.old is ABSENT else {"old": one.old}),
                **({} if one.new is ABSENT else {"new": one.new}),
            }
            for one in found.differences
        ],
        "because": [why_document(inner) for inner in found.because],
    }
