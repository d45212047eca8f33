"""The sandbox over HTTP is for programs of its machine: no web page reaches it, and /admin has a token of its own."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from zenflow.sandbox.server import build_app
from zenflow.sandbox.service.middleware import is_own_address
from zenflow.sandbox.settings import SandboxSettings

BASE = "http://127.0.0.1:8765"


def client(**settings: Any) -> TestClient:
    return TestClient(build_app(SandboxSettings(**settings)), base_url=BASE, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("host", "origin", "own"),
    [
        (b"127.0.0.1:8765", None, True),
        (b"localhost:8765", None, True),
        (b"[::1]:8765", None, True),
        (b"192.168.1.7:8765", None, True),
        (b"evil.example", None, False),
        (b"evil.example:8765", None, False),
        (b"localhost.evil.example", None, False),
        (b"127.0.0.1.evil.example", None, False),
        (b"127.0.0.1:8765", b"https://evil.example", False),
        (b"127.0.0.1:8765", b"null", False),
        (b"127.0.0.1:8765", b"http://[::1", False),
        (b"127.0.0.1:8765", b"http://127.0.0.1:8765", True),
        (b"127.0.0.1:8765", b"http://localhost:6274", True),
        (b"\xff", None, False),
    ],
)
def test_only_its_own_machine_is_answered(host: bytes, origin: bytes | None, own: bool) -> None:
    assert is_own_address(host, origin, BASE) is own


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}])
@pytest.mark.parametrize("path", ["/mcp", "/admin/credits", "/healthz"])
def test_a_web_page_is_refused(headers: dict[str, str], path: str) -> None:
    with client(admin=True) as asked:
        assert asked.post(path, json={"amount": -500}, headers=headers).status_code == 403


@pytest.mark.parametrize("more", [{}, {"oauth": True}, {"token": "for-mcp"}])
def test_admin_has_a_token_of_its_own(more: dict[str, Any]) -> None:
    with client(admin=True, admin_token="lever", **more) as asked:
        assert asked.get("/admin/state").status_code == 401
        assert asked.get("/admin/state", headers={"authorization": "Bearer for-mcp"}).status_code == 401
        assert asked.get("/admin/state", headers={"authorization": "Bearer lever"}).status_code == 200


def test_deep_or_broken_bodies_are_no_defect() -> None:
    deep = "[" * 100_000
    with client(admin=True, oauth=True) as asked:
        for path in ("/admin/faults", "/admin/credits", "/oauth/register"):
            assert asked.post(path, content=deep).status_code < 500, path
        assert asked.post("/oauth/register", json={"redirect_uris": ["http://[::1"]}).status_code == 400
