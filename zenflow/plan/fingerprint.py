"""What makes two requests the same: tool, parameters, model, and what the assets in them are. Never the recipe's text.

An uploaded asset is its bytes: the same photo uploaded twice is the same. A generated asset is itself: its id never shows
anything else, while the same request made twice gives two different pictures. docs/reuse.md explains it on one page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zenflow.ids import digest_of

VERSION = "zenflow request 1"
CONTENT = "sha256:"
"""Begins the fingerprint of an upload: that of the bytes."""

_NOT_ASKED_FOR: Mapping[str, frozenset[str]] = {
    "describe": frozenset({"force_refresh"}),
    "pick": frozenset({"question"}),
}
"""Parameters of actions that change how something is asked, not what."""


def request_of(uses: str, params: Mapping[str, Any], contents: Mapping[str, str]) -> dict[str, Any]:
    """The request as it is compared: parameters by name, uploaded assets by their content. `contents`: asset id → digest."""
    left_out = _NOT_ASKED_FOR.get(uses, frozenset())
    return {name: _by_content(value, contents) for name, value in params.items() if name not in left_out}


def fingerprint_of(uses: str, params: Mapping[str, Any], contents: Mapping[str, str]) -> str:
    """The digest of a resolved request."""
    return digest_of([VERSION, uses, request_of(uses, params, contents)])


def content_fingerprint(sha256: str) -> str:
    """The fingerprint of an upload."""
    return CONTENT + sha256


def _by_content(value: Any, contents: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return contents.get(value, value)
    if isinstance(value, list | tuple):
        return [_by_content(item, contents) for item in value]
    if isinstance(value, dict):
        return {name: _by_content(item, contents) for name, item in value.items()}
    return value


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """`(where, old, new)` for each part in which two requests differ; `ABSENT` where one has no such part."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(key for key in new if key not in old)]:
            inner = f"{path}.{name}" if path else str(name)
            yield from differences(old.get(name, ABSENT), new.get(name, ABSENT), inner)
    elif isinstance(old, list) and isinstance(new, list):
        for place in range(max(len(old), len(new))):
            before = old[place] if place < len(old) else ABSENT
            after = new[place] if place < len(new) else ABSENT
            yield from differences(before, after, f"{path}[{place}]")
    elif type(old) is not type(new) or old != new:
        yield path, old, new


class _Absent:
    __slots__ = ()

    def __repr__(self) -> str:
        return "not there"


ABSENT = _Absent()
