"""One step as YAML text that reads back as the same values. Knows the text rules of the language page, not the service.

Strings are written plain only where they cannot be taken for anything else (rule 1), in JSON's quotes otherwise, which
YAML reads alike; `${{` in a value is escaped, so that a foreign text never becomes an expression (rule 9).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zenflow.foreign_text import visible, visible_json

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_@./+-]*(?: [A-Za-z0-9_@./+(),'-]+)*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_NAME = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A parameter that the author fills in."""

    name: str
    is_list: bool
    is_asset: bool


@dataclass(frozen=True, slots=True)
class StepText:
    title: str
    uses: str
    params: Mapping[str, Any]
    wanted: tuple[Wanted, ...] = ()
    notes: tuple[str, ...] = ()


def step_text(step: StepText, indent: str = "  ") -> str:
    """The lines of one step, to stand below `steps:`."""
    lines = [f"# {_one_line(note)}" for note in step.notes]
    lines += [f"{_scalar(step_id(step.title))}:", f"  uses: {_scalar(step.uses)}", "  with:"]
    for name, value in step.params.items():
        lines += _entry(name, value, "    ")
    for one in step.wanted:
        lines += _wanted(one)
    if lines[-1] == "  with:":
        lines[-1] = "  with: {}"
    return "\n".join(indent + line for line in lines) + "\n"


def step_id(title: str) -> str:
    """`Studio portrait` → `studio_portrait`."""
    found = _NAME.sub("_", title).strip("_").lower()[:64] or "preset"
    return found if not found[0].isdigit() else f"_{found}"[:64]


def _wanted(one: Wanted) -> list[str]:
    value = "${{ steps.upload.asset_id }}" if one.is_asset else "${{ inputs." + step_id(one.name) + " }}"
    note = "  # yours to give"
    if one.is_list:
        return [f"    {_scalar(one.name)}:{note}", f"      - {value}"]
    return [f"    {_scalar(one.name)}: {value}{note}"]


def _entry(name: str, value: Any, indent: str) -> list[str]:
    head = f"{indent}{_scalar(name)}:"
    if isinstance(value, Mapping) and value:
        return [head, *(line for key, inner in value.items() for line in _entry(str(key), inner, indent + "  "))]
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return [head, *(f"{indent}  - {_flow(one)}" for one in value)]
    return [f"{head} {_flow(value)}"]


def _flow(value: Any) -> str:
    """A value on one line; JSON is YAML."""
    if isinstance(value, str):
        return _scalar(_escaped(value))
    return visible_json(json.dumps(_all_escaped(value), ensure_ascii=False))


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return visible_json(json.dumps(text, ensure_ascii=False))


def _all_escaped(value: Any) -> Any:
    if isinstance(value, str):
        return _escaped(value)
    if isinstance(value, Mapping):
        return {key: _all_escaped(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_all_escaped(inner) for inner in value]
    return value


def _escaped(text: str) -> str:
    return text.replace("${{", "$${{")


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))
