"""Sign-ins in the system's keyring: back-ends of the real `keyring` library, working, absent, locked and full.

The library is optional (`zenflow[keyring]`): its own tests run where it is installed, the others everywhere.
"""

from __future__ import annotations

import stat
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

from zenflow.providers.mcp.tokens.store import FileStore, Grant, KeyringStore, open_grants

SERVER = "http://127.0.0.1:1/mcp"
GRANT = Grant(
    SERVER, f"{SERVER}/token", "me", SERVER, "secret-1", "again-1", issued_at=datetime(2026, 1, 1, tzinfo=UTC)
)
LATER = replace(GRANT, access_token="secret-2", issued_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=1))


class KeyringLocked(Exception):
    """Named as the library's own."""


class Ring:
    """A keyring as the library offers it, that can be locked."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.no: Exception | None = None
        self.priority = 5.0

    def get_keyring(self) -> Any:
        return self

    def get_password(self, service: str, name: str) -> str | None:
        self._pass()
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, text: str) -> None:
        self._pass()
        self.kept[service, name] = text

    def delete_password(self, service: str, name: str) -> None:
        self._pass()
        del self.kept[service, name]

    def _pass(self) -> None:
        if self.no is not None:
            raise self.no


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def store(ring: Ring, tmp_path: Path) -> KeyringStore:
    return KeyringStore(ring, FileStore(tmp_path / "sign-ins"))


def files(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "sign-ins").glob("*")) if (tmp_path / "sign-ins").exists() else []


def test_what_works_is_kept_in_the_keyring_alone(store: KeyringStore, ring: Ring, tmp_path: Path) -> None:
    store.save(GRANT)
    assert (store.load(SERVER), len(ring.kept), files(tmp_path)) == (GRANT, 1, [])
    assert store.where.startswith("the system keyring (") and store.trouble == ""
    assert (store.delete(SERVER), store.load(SERVER), store.delete(SERVER)) == (True, None, False)


def test_uses_a_private_file_when_the_keyring_is_locked(store: KeyringStore, ring: Ring, tmp_path: Path) -> None:
    ring.no = KeyringLocked("the text of secret-1")
    store.save(GRANT)
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert store.where == f"{tmp_path / 'sign-ins'}, since the system keyring cannot be used: it is locked"
    assert "secret" not in store.where + store.trouble
    assert store.load(SERVER) == GRANT


def test_prefers_the_newer_of_file_and_keyring(store: KeyringStore, ring: Ring, tmp_path: Path) -> None:
    store.save(GRANT)
    ring.no = KeyringLocked()
    store.save(LATER)  # refreshed while it was locked
    ring.no = None
    assert store.load(SERVER) == LATER
    store.save(LATER)
    assert (store.load(SERVER), files(tmp_path)) == (LATER, [])


def test_an_entry_that_the_keyring_does_not_take_lies_in_a_file(
    store: KeyringStore, ring: Ring, tmp_path: Path
) -> None:
    ring.set_password = _too_long  # type: ignore[method-assign]
    store.save(GRANT)
    assert (store.load(SERVER), len(files(tmp_path))) == (GRANT, 1)
    assert "OSError" in store.where


def _too_long(service: str, name: str, text: str) -> None:
    raise OSError(1783, "The stub received bad data")


def test_signing_out_forgets_both_places(store: KeyringStore, ring: Ring, tmp_path: Path) -> None:
    store.save(GRANT)
    FileStore(tmp_path / "sign-ins").save(LATER)
    assert store.delete(SERVER) is True
    assert (ring.kept, files(tmp_path)) == ({}, [])


@pytest.mark.parametrize("priority", [0, -1, 0.5])  # `fail`, `null`, one that keeps things in the open
def test_a_keyring_that_is_none_is_not_used(
    ring: Ring, priority: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring.priority = priority
    module: Any = ModuleType("keyring")
    module.get_keyring = lambda: SimpleNamespace(priority=priority)
    monkeypatch.setitem(sys.modules, "keyring", module)
    assert isinstance(open_grants(tmp_path), FileStore)


# ------------------------------------------------------------------------------------------------- the library itself


@pytest.fixture
def library() -> Any:
    keyring = pytest.importorskip("keyring")
    before = keyring.get_keyring()
    yield keyring
    keyring.set_keyring(before)


def in_memory(library: Any, locked: bool = False) -> Any:
    """A back-end as somebody would write one for the library."""
    from keyring.backend import KeyringBackend  # type: ignore[import-not-found, unused-ignore]
    from keyring.errors import KeyringLocked as Locked  # type: ignore[import-not-found, unused-ignore]

    class InMemory(KeyringBackend):  # type: ignore[misc, unused-ignore]
        priority = 9
        kept: ClassVar[dict[tuple[str, str], str]] = {}

        def get_password(self, service: str, username: str) -> str | None:
            return self._open().get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self._open()[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self._open()[service, username]

        def _open(self) -> dict[tuple[str, str], str]:
            if locked:
                raise Locked("Failed to unlock the collection!")
            return self.kept

    return InMemory()


@pytest.mark.parametrize("name", ["null", "fail"])
def test_the_librarys_back_ends_for_none_leave_the_file(library: Any, name: str, tmp_path: Path) -> None:
    from importlib import import_module

    library.set_keyring(import_module(f"keyring.backends.{name}").Keyring())
    assert isinstance(open_grants(tmp_path), FileStore)


def test_a_back_end_of_the_library_keeps_and_forgets(library: Any, tmp_path: Path) -> None:
    library.set_keyring(in_memory(library))
    found = open_grants(tmp_path)
    found.save(GRANT)
    assert (found.load(SERVER), list(tmp_path.iterdir())) == (GRANT, [])
    assert found.delete(SERVER) and found.load(SERVER) is None


def test_the_chain_of_the_library_is_a_keyring_like_any_other(library: Any, tmp_path: Path) -> None:
    from keyring.backends.chainer import ChainerBackend  # type: ignore[import-not-found, unused-ignore]

    backend = in_memory(library)
    chain = type("Chain", (ChainerBackend,), {"backends": [backend], "priority": 10})()
    library.set_keyring(chain)
    found = open_grants(tmp_path)
    found.save(GRANT)
    assert (found.load(SERVER), len(backend.kept), list(tmp_path.iterdir())) == (GRANT, 1, [])


def test_the_librarys_own_lock_is_told_as_one(library: Any, tmp_path: Path) -> None:
    library.set_keyring(in_memory(library, locked=True))
    found = open_grants(tmp_path)
    found.save(GRANT)
    assert found.load(SERVER) == GRANT and found.where.endswith("it is locked")
