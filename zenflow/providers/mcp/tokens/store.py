"""What a sign-in left behind, and where it is kept: one entry per server, in the system's keyring, else in a file of 0600.

The tokens stand nowhere else: never in a repr, a journal, a log or an error.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from zenflow.clock import as_iso, from_iso
from zenflow.errors import UsageError
from zenflow.host.writing import make_private_folder, replace_file
from zenflow.log_context import hide

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

    def __post_init__(self) -> None:
        for secret in (self.access_token, self.refresh_token, self.client_secret):
            hide(secret)


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

    @property
    def trouble(self) -> str:
        """For people: why the usual place could not be used just now; empty when it could."""
        ...


class FileStore:
    """One file per server in a folder of the user's alone, replaced whole at every change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        return str(self._folder)

    @property
    def trouble(self) -> str:
        return ""

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
            make_private_folder(self._folder)
            replace_file(path, text_of(grant), private=True)
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
    """The system's own keyring, by way of the `keyring` library; what it does not take, or give, lies in files.

    A keyring may be locked at any time, or refuse a long entry (Windows takes 2,560 bytes): a sign-in is not lost for
    that, and `where` says it.
    """

    def __init__(self, keyring: Any, files: FileStore) -> None:
        self._keyring = keyring
        self._files = files
        self._trouble = ""
        self._why_in_files = ""  # of the last save

    @property
    def where(self) -> str:
        if self._why_in_files:
            return f"{self._files.where}, since the system keyring cannot be used: {self._why_in_files}"
        return f"the system keyring ({type(self._keyring.get_keyring()).__module__.rpartition('.')[2]})"

    @property
    def trouble(self) -> str:
        return self._trouble

    def load(self, server: str) -> Grant | None:
        """The newer of both: what was refreshed while the keyring was locked lies in the file."""
        text = self._tried(lambda: self._keyring.get_password(_KEYRING_SERVICE, server))
        found = [one for one in (grant_from(text) if text else None, self._files.load(server)) if one is not None]
        return max(found, key=_issued, default=None)

    def save(self, grant: Grant) -> None:
        self._tried(lambda: self._keyring.set_password(_KEYRING_SERVICE, grant.server, text_of(grant)))
        self._why_in_files = self._trouble
        if self._why_in_files:
            self._files.save(grant)
        else:
            self._files.delete(grant.server)

    def delete(self, server: str) -> bool:
        def forget() -> bool:
            if self._keyring.get_password(_KEYRING_SERVICE, server) is None:
                return False
            self._keyring.delete_password(_KEYRING_SERVICE, server)
            return True

        gone = self._tried(forget)
        return self._files.delete(server) or bool(gone)

    def _tried(self, ask: Callable[[], Any]) -> Any:
        """The keyring's answer; None, and the trouble kept, where it has none: its back-ends raise what they like."""
        try:
            answer = ask()
        except Exception as no:
            self._trouble = _told(no)
            return None
        self._trouble = ""
        return answer


def open_grants(folder: Path) -> GrantStore:
    """The keyring where there is one, with files in `folder` beside it; else the files alone."""
    keyring, files = _keyring_here(), FileStore(folder)
    return files if keyring is None else KeyringStore(keyring, files)


def _keyring_here() -> ModuleType | None:
    """`keyring` is optional (zenflow[keyring]). Its back-ends for a machine without one (`fail`, `null`), and those that
    keep things in the open, have a priority below 1: then there is none for us."""
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    try:
        if keyring.get_keyring().priority < 1:
            return None
    except Exception:  # a back-end that breaks already when it is chosen
        return None
    found: ModuleType = keyring
    return found


def _told(no: Exception) -> str:
    """The kind of trouble alone: the text of a foreign error might quote what was to be kept."""
    return "it is locked" if "lock" in type(no).__name__.lower() else type(no).__name__


def _issued(grant: Grant) -> float:
    return 0.0 if grant.issued_at is None else grant.issued_at.timestamp()


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
