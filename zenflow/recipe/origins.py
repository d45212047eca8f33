"""The repositories that a recipe uses, for documents and for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.recipe.model import Origin

COMMIT_SHOWN = 12


def origins_of(recorded: Mapping[str, Any]) -> dict[str, Origin]:
    """Return the repositories of a recorded recipe, by the prefix of their keys."""
    return {prefix: Origin(**fields) for prefix, fields in recorded.items()}


def origins_document(origins: Mapping[str, Origin]) -> list[dict[str, Any]]:
    """Return what plan, journal, manifest and ledger say of each repository."""
    return [
        {
            "name": one.name,
            "url": one.url,
            "rev": one.rev,
            "commit": one.commit,
            "recipe": one.recipe or None,
            "used_as": prefix.removesuffix("://") or None,
            "files": dict(sorted(one.files.items())),
        }
        for prefix, one in _in_order(origins)
    ]


def origin_lines(origins: Mapping[str, Origin]) -> list[str]:
    """Return one line for each repository: where the recipe comes from, and the commit."""
    return [
        f"{'from' if not prefix else 'with'} {one.label} · commit {one.commit[:COMMIT_SHOWN]}"
        + (f" · {one.url}" if one.url != one.name else "")
        for prefix, one in _in_order(origins)
    ]


def _in_order(origins: Mapping[str, Origin]) -> list[tuple[str, Origin]]:
    """Each repository before those that it uses."""
    return sorted(origins.items(), key=lambda item: item[0].removesuffix("://"))
