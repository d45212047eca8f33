"""Ids of the sandbox's things: UUIDs that follow account, seed and a running number, so that a run can be repeated."""

from __future__ import annotations

import hashlib
import uuid


def made_id(*parts: object) -> str:
    """The same parts give the same UUID; it reads as a version 4 one, as the service's do."""
    digest = bytearray(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x40
    digest[8] = (digest[8] & 0x3F) | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def share(*parts: object) -> float:
    """A number in [0, 1) that follows its parts: the sandbox's only chance."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / float(1 << 56)


def is_uuid(text: object) -> bool:
    if not isinstance(text, str) or len(text) != 36:
        return False
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
