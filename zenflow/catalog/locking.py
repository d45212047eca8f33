"""What of a tool a lock holds: the form of its schema and its list of models, without words and prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zenflow.catalog.diff import CatalogChange, changes
from zenflow.catalog.model import Catalog, Tool
from zenflow.ids import digest_of

_WORDS = frozenset({"description", "title", "examples"})


def schema_digest(tool: Tool) -> str:
    """Return the SHA-256 of the schema and of the models."""
    return digest_of([_form(tool.input_schema), sorted(model.value for model in tool.models)])


def named_changes(before: Catalog | None, after: Catalog, names: list[str]) -> Iterator[str]:
    """Yield what differs in each of these tools: `image_editor.number_of_images: maximum 4 → 8`.

    `before`: the snapshot that the lock was made with; None where it is not here.
    """
    for name in names:
        if name not in after.tools:
            yield f"{name}: the tool is gone"
        elif before is None or name not in before.tools:
            yield f"{name}: its schema or its models changed"
        else:
            found = [
                one for one in changes(_only(before, name), _only(after, name)) if one.what in ("parameter", "model")
            ]
            yield from map(_sentence, found) if found else [f"{name}: its schema or its models changed"]


def _only(catalog: Catalog, name: str) -> Catalog:
    return Catalog(catalog.server, catalog.taken_at, {name: catalog.tools[name]}, (name,), catalog.service_tools)


def _sentence(change: CatalogChange) -> str:
    what = f"{change.tool}.{change.name}" if change.what == "parameter" else f"{change.tool}: model {change.name}"
    if change.how != "changed":
        return f"{what}: {change.how}"
    before, after = change.before or "nothing", change.after or "nothing"
    key, _, value = before.partition(" ")
    other, _, now = after.partition(" ")
    return (
        f"{what}: {key} {value} → {now}"
        if key == other and "," not in before + after
        else f"{what}: {before} → {after}"
    )


def _form(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _form(item) for key, item in value.items() if key not in _WORDS or isinstance(item, Mapping)}
    return [_form(item) for item in value] if isinstance(value, list | tuple) else value
