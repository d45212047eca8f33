"""What a sign-in left behind, and where it is kept: one entry per server, in the system's keyring, else in a file of 0600.

The tokens stand nowhere else: never in a repr, a journal, a log or an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from zenflow.clock import as_iso, from_iso
from zenflow.errors import UsageError

_KEYRING_SERVICE = "zenflow"


@dataclass(frozen=True, slots=True)
class Grant:
    """One sign-in at one server, with what is needed to refresh and to revoke it."""

    server: str  # the MCP endpoint's address
    token_endpoint: str
    client_id: str
    resource: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    client_auth: str = "none"  # token_endpoint_auth_method as registered
    expires_at: datetime | None = None
    issued_at: datetime | None = None
    scope: str | None = None
    issuer: str = ""
    revocation_endpoint: str | None = None


class GrantStore(Protocol):
    """Every method may block."""

    def load(self, server: str) -> Grant | None: ...

    def save(self, grant: Grant) -> None: ...

    def delete(self, server: str) -> bool:
        """False when there was none."""
        ...

    @property
    def where(self) -> str:
        """For people: where tokens are kept."""
        ...


class FileStore:
    """One file per server in a folder of the user's alone, replaced whole at every change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        return str(self._folder)

    def load(self, server: str) -> Grant | None:
        try:
            text = self._path(server).read_text(encoding="utf-8")
        except OSError:
            return None
        found = grant_from(text)
        return found if found is not None and found.server == server else None

    def save(self, grant: Grant) -> None:
        path = self._path(grant.server)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text_of(grant))
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except OSError as error:
            raise UsageError(
                "ZF070",
                f"The sign-in cannot be kept in {self._folder}: {error.strerror}.",
                "Make the folder writable, or set ZENFLOW_TOKEN instead of signing in.",
            ) from error

    def delete(self, server: str) -> bool:
        try:
            self._path(server).unlink()
        except FileNotFoundError:
            return False
        return True

    def _path(self, server: str) -> Path:
        return self._folder / f"{hashlib.sha256(server.encode()).hexdigest()[:24]}.json"


class KeyringStore:
    """The system's own keyring, by way of the `keyring` library where that is installed."""

    def __init__(self, keyring: Any) -> None:
        self._keyring = keyring

    @property
    def where(self) -> str:
        return f"the system keyring ({type(self._keyring.get_keyring()).__module__.rpartition('.')[2]})"

    def load(self, server: str) -> Grant | None:
        text = self._keyring.get_password(_KEYRING_SERVICE, server)
        return None if text is None else grant_from(text)

    def save(self, grant: Grant) -> None:
        self._keyring.set_password(_KEYRING_SERVICE, grant.server, text_of(grant))

    def delete(self, server: str) -> bool:
        if self._keyring.get_password(_KEYRING_SERVICE, server) is None:
            return False
        self._keyring.delete_password(_KEYRING_SERVICE, server)
        return True


def open_grants(folder: Path) -> GrantStore:
    """The keyring where there is one that works, else files in `folder`."""
    keyring = _working_keyring()
    return FileStore(folder) if keyring is None else KeyringStore(keyring)


def _working_keyring() -> ModuleType | None:
    """`keyring` is optional (zenflow[keyring]); on a machine without a keyring its backend only fails."""
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    try:
        if keyring.get_keyring().priority < 1:
            return None
        keyring.get_password(_KEYRING_SERVICE, "probe")
    except Exception:  # locked, no session bus, a backend that breaks: then there is none for us
        return None
    found: ModuleType = keyring
    return found


def text_of(grant: Grant) -> str:
    document = asdict(grant)
    for name in ("expires_at", "issued_at"):
        moment = document[name]
        document[name] = None if moment is None else as_iso(moment)
    return json.dumps({"format": 1, **document})


def grant_from(text: str) -> Grant | None:
    """None for what cannot be read: then a person signs in again."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    if not isinstance(document, Mapping):
        return None
    known = {entry.name for entry in fields(Grant)}
    values: dict[str, Any] = {name: value for name, value in document.items() if name in known}
    try:
        for name in ("expires_at", "issued_at"):
            values[name] = None if values.get(name) is None else from_iso(values[name])
        return Grant(**values)
    except (TypeError, ValueError):
        return None
