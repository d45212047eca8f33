"""What differs between two readings of a server's tools: tools, parameters, models, gates, prices, words.

Compares values; knows nothing of files, servers or terminals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from zenflow.catalog.check import ALWAYS_REQUIRED
from zenflow.catalog.model import Catalog, Model, Tool
from zenflow.credits import as_text

How = Literal["added", "removed", "changed"]
What = Literal["tool", "parameter", "model", "gate", "price", "output", "text"]


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """One difference. `name` is that of the parameter or the model, empty for the tool's own; values as text."""

    tool: str
    what: What
    how: How
    name: str = ""
    before: str = ""
    after: str = ""

    @property
    def may_break(self) -> bool:
        """Whether a recipe that was right may be wrong or cost otherwise now: anything but news and words."""
        return self.what != "text" and not (self.how == "added" and self.what in ("tool", "model"))


def changes(before: Catalog, after: Catalog) -> tuple[CatalogChange, ...]:
    """Every difference, by tool in the order of names."""
    names = sorted({*before.tools, *after.tools})
    return tuple(change for name in names for change in _of_tool(name, before.tools.get(name), after.tools.get(name)))


def _of_tool(name: str, before: Tool | None, after: Tool | None) -> Iterator[CatalogChange]:
    if before is None or after is None:
        yield CatalogChange(name, "tool", "added" if before is None else "removed")
        return
    if before.blocked != after.blocked:
        yield CatalogChange(name, "gate", "changed", "", _open(before.blocked), _open(after.blocked))
    if before.base_price != after.base_price:
        yield CatalogChange(name, "price", "changed", "", as_text(before.base_price), as_text(after.base_price))
    yield from _of_parameters(name, before, after)
    if before.output_schema != after.output_schema:
        yield CatalogChange(name, "output", "changed")
    old, new = {m.value: m for m in before.models}, {m.value: m for m in after.models}
    for value in dict.fromkeys((*old, *new)):
        yield from _of_model(name, value, old.get(value), new.get(value))
    if _words(before, beside=after) != _words(after, beside=before):
        yield CatalogChange(name, "text", "changed")


def _of_parameters(name: str, before: Tool, after: Tool) -> Iterator[CatalogChange]:
    for parameter in dict.fromkeys((*before.parameters, *after.parameters)):
        old, new = _form(before, parameter), _form(after, parameter)
        if not old or not new:
            yield CatalogChange(name, "parameter", "removed" if old else "added", parameter, _short(old), _short(new))
        elif old != new:
            moved = [key for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)]
            was, now = ({key: one[key] for key in moved if key in one} for one in (old, new))
            yield CatalogChange(name, "parameter", "changed", parameter, _short(was), _short(now))


def _of_model(tool: str, value: str, before: Model | None, after: Model | None) -> Iterator[CatalogChange]:
    if before is None or after is None:
        yield CatalogChange(tool, "model", "added" if before is None else "removed", value)
        return
    if _gates(before) != _gates(after):
        yield CatalogChange(tool, "gate", "changed", value, _gates(before), _gates(after))
    if before.row.get("pricing") != after.row.get("pricing"):
        prices = (_short(one.row.get("pricing")) for one in (before, after))
        yield CatalogChange(tool, "price", "changed", value, *prices)
    if before.row.get("input_constraints") != after.row.get("input_constraints"):
        limits = (_short(one.row.get("input_constraints")) for one in (before, after))
        yield CatalogChange(tool, "model", "changed", value, *limits)


def _form(tool: Tool, parameter: str) -> dict[str, Any]:
    """The parameter's schema without its words, and whether it must be there; empty where there is none."""
    schema = tool.parameters.get(parameter)
    if schema is None:
        return {}
    form = dict(schema) if isinstance(schema, Mapping) else {"schema": schema}
    wordless = {key: value for key, value in form.items() if key not in ("description", "title", "examples")}
    return {**wordless, "required": parameter in (*tool.required, *ALWAYS_REQUIRED)}


def _gates(model: Model) -> str:
    said = (("default", model.is_default), ("trusted only", model.trusted_only), ("adult", model.adult))
    return ", ".join([word for word, is_so in (*said, ("blocked", model.blocked)) if is_so]) or "open"


def _words(tool: Tool, beside: Tool) -> Any:
    """Everything for people, of what both have: what came and went is told as that."""
    models = {m.value: (m.description, m.row.get("notes")) for m in tool.models if beside.model(m.value)}
    forms = {name: form for name, form in tool.parameters.items() if name in beside.parameters}
    texts = {name: form.get("description") for name, form in forms.items() if isinstance(form, Mapping)}
    return models, texts, tool.description, tool.prompt_guide, tool.model_selection_guide, tool.format_questions


def _open(blocked: bool) -> str:
    return "blocked" if blocked else "open"


def _short(value: Any) -> str:
    """`{"type": "integer", "maximum": 4}` as `type integer, maximum 4`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_short(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return " | ".join(_short(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
