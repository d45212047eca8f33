"""What the operator trusts: kept in the operator's own configuration, never in a workspace, a plan or a journal.

A file may *claim* things: a server, a place for files, a policy. Only the operator can grant a claim. zenflow also marks the
plans and runs that it makes with a key of the operator's, so that it knows them again; nobody else can make such a mark.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zenflow.errors import UsageError
from zenflow.host.reading import read_regular
from zenflow.host.writing import make_private_folder, replace_file, replace_json

FILE, KEY_FILE = "trust.json", "mark.key"
UNWRITABLE = "ZF036"
MOST_GRANTS = 10_000
_LARGEST = 4 * 1024 * 1024
Kind = Literal["server", "output", "policy", "limit", "run", "plan"]
KINDS: Mapping[Kind, str] = {
    "server": "server",
    "output": "folder for files",
    "policy": "policy",
    "limit": "limit",
    "run": "run",
    "plan": "saved plan",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that a file asks for.

    `place`: the workspace that it is for, or the digest of the plan or run; empty for a server, which is trusted anywhere.
    `details`: what else the operator should know before the answer.
    """

    kind: Kind
    value: str
    origin: str  # the file, with its line where that is known
    place: str = ""
    details: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.value, self.place


@dataclass(frozen=True, slots=True)
class TrustGrant:
    """A claim that the operator granted."""

    kind: str
    value: str
    place: str
    at: str


class TrustStore:
    """The operator's grants and mark. Reads what is there at each question: two terminals may be open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def grants(self) -> list[TrustGrant]:
        """Every grant, oldest first. A file that cannot be read grants nothing."""
        try:
            document = json.loads(read_regular(self._folder / FILE, _LARGEST))
            rows = document["granted"]
            return [TrustGrant(*(str(row[name]) for name in ("kind", "value", "place", "at"))) for row in rows]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return []

    def missing(self, claims: Iterable[Claim]) -> list[Claim]:
        """The claims that are not granted."""
        asked = list(claims)
        known = {(one.kind, one.value, one.place) for one in self.grants()} if asked else set()
        return [claim for claim in asked if claim.key not in known]

    def grant(self, claims: Sequence[Claim], at: str) -> None:
        """Remember them. Raises UsageError."""
        new = [TrustGrant(claim.kind, claim.value, claim.place, at) for claim in self.missing(claims)]
        if new:
            self._write([*self.grants(), *new][-MOST_GRANTS:])

    def remove(self, word: str) -> list[TrustGrant]:
        """Forget every grant with that value or place; return them. Raises UsageError."""
        gone = [one for one in self.grants() if word in (one.value, one.place)]
        if gone:
            self._write([one for one in self.grants() if one not in gone])
        return gone

    def mark(self, text: str) -> str | None:
        """The operator's mark on a text; None where the key cannot be kept."""
        key = self._key(make=True)
        return None if key is None else hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def is_ours(self, text: str, mark: Any) -> bool:
        """Whether the operator's own zenflow made that mark on that text."""
        key = self._key(make=False)
        if key is None or not isinstance(mark, str) or not mark.isascii():
            return False
        found = hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return hmac.compare_digest(found, mark)

    def _key(self, *, make: bool) -> bytes | None:
        file = self._folder / KEY_FILE
        try:
            found = bytes.fromhex(read_regular(file, 200).decode("ascii"))
            if len(found) == 32:
                return found
        except (OSError, ValueError):
            pass
        if not make:
            return None
        key = os.urandom(32)
        try:
            make_private_folder(self._folder)
            replace_file(file, key.hex(), private=True)
        except OSError:
            return None
        return key

    def _write(self, grants: Sequence[TrustGrant]) -> None:
        rows = [{"kind": g.kind, "value": g.value, "place": g.place, "at": g.at} for g in grants]
        try:
            make_private_folder(self._folder)
            replace_json(self._folder / FILE, {"format": 1, "granted": rows}, indent=2)
        except OSError as error:
            message = f"unwritable file {self._folder / FILE}: {error.strerror or error}"
            raise UsageError(UNWRITABLE, message, "Make your configuration folder writable.") from error
