"""Names that zenflow makes: runs, stamps, instances, digests.

Randomness arrives as an argument (`secrets.token_bytes` in life, a seeded source in tests).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

RandomBytes = Callable[[int], bytes]

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
STAMP_RUN_LENGTH = 12
STAMP_LENGTH = 24  # docs/money.md, “The stamp”: 24 lower-case letters and digits


def new_run_id(now: datetime, random_bytes: RandomBytes) -> str:
    """Sorts by time and can be read aloud: `20261121-0806-k3f9`."""
    return f"{now:%Y%m%d-%H%M%S}-{_word(random_bytes, 4)}"


def new_stamp_run_part(random_bytes: RandomBytes) -> str:
    """The part of a stamp by which every task of one run is found. Begins with a letter pair of ours."""
    return "zf" + _word(random_bytes, STAMP_RUN_LENGTH - 2)


def stamp_for(run_part: str, submission_number: int) -> str:
    """Run part and submission part: derived, so that the journal and a restored copy of it agree."""
    digest = hashlib.sha256(f"{run_part}/{submission_number}".encode()).digest()
    return run_part + _letters(int.from_bytes(digest, "big"), STAMP_LENGTH - len(run_part))


def digest_of(value: Any) -> str:
    """SHA-256 of a JSON value in canonical form: sorted keys, no spaces."""
    return hashlib.sha256(_canonical(value).encode(errors="surrogatepass")).hexdigest()


def _canonical_writer() -> Callable[[Any], str]:
    """`json.dumps` makes an encoder for each value, half of a small digest's time: here one is made once, where this
    Python has its parts."""
    encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)
    make = getattr(json.encoder, "c_make_encoder", None)
    text = getattr(json.encoder, "c_encode_basestring", None)
    if make is None or text is None:
        return encoder.encode
    chunks_of = make(None, encoder.default, text, None, ":", ",", True, False, True)
    return lambda value: "".join(chunks_of(value, 0))


_canonical = _canonical_writer()


def _word(random_bytes: RandomBytes, length: int) -> str:
    return _letters(int.from_bytes(random_bytes(length + 8), "big"), length)


def _letters(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[digit])
    return "".join(letters)


def uuids_in(value: Any) -> tuple[str, ...]:
    """Every UUID in a JSON value, as it is spelt there, in order, once: the last resort when a call names no assets
    (docs/money.md). A service may know its ids in its own spelling alone."""
    found: dict[str, str] = {}
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            for match in _UUID.findall(item):
                found.setdefault(match.lower(), match)
        elif isinstance(item, dict):
            stack.extend(reversed(list(item.values())))
        elif isinstance(item, list | tuple):
            stack.extend(reversed(item))
    return tuple(found.values())


def is_uuid(text: str) -> bool:
    """Whether a text is the id of an asset, a task or a call (the service's ids are UUIDs: docs/service.md, “Assets”
    and “Generation”)."""
    return _UUID.fullmatch(text.strip()) is not None
