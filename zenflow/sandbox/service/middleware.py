"""The outermost layer: who may come in, and what goes wrong on the wire.

It stands before the web framework so that a cut connection is cut and not turned into a tidy 500. Requests are read
here only when there are rules or an open /admin; otherwise they pass untouched.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zenflow.sandbox.faults import NOTHING, PREFIX, Faults, TriggeredFaults
from zenflow.sandbox.service.dispatch import Dispatcher
from zenflow.sandbox.service.dropped_connections import OUTERMOST_SEND, cut_connection
from zenflow.sandbox.service.oauth_pages import challenge
from zenflow.sandbox.service.request_context import Services

FAULTS_KEY = "zenflow.sandbox.faults"
MAX_BODY = 25 * 1024 * 1024  # the service's edge caps request bodies at about 25 MB
_WIRE = ("http_status", "drop", "truncate_body", "garbage", "delayed_effect")
_ERA_BEFORE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")  # protocols with a handshake


class Middleware:
    """Wraps the application."""

    def __init__(
        self, inside: ASGIApp, services: Services, dispatcher: Dispatcher, faults: Faults, *, watching: bool
    ) -> None:
        self._inside = inside
        self._services = services
        self._dispatcher = dispatcher
        self._faults = faults
        self._watching = watching
        self.arrived: Counter[str] = Counter()  # requests by tool, counted before anything can go wrong

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inside(scope, receive, send)
            return
        scope[OUTERMOST_SEND] = send
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._dispatcher.perform_due()
        if not (self._watching and scope["path"] == "/mcp" and scope["method"] == "POST"):
            await self._inside(scope, receive, send)
            return
        await self._watched(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = dict(scope["headers"])
        if not is_own_address(headers.get(b"host", b""), headers.get(b"origin"), self._services.base_url):
            return JSONResponse({"error": "this sandbox answers programs of its own machine, not web pages"}, 403)
        if not self._may_administer(scope["path"], headers.get(b"authorization", b"")):
            return JSONResponse({"error": "/admin takes its own token"}, 401)
        if not self._may_enter(scope["path"], headers.get(b"authorization", b"")):
            return JSONResponse(
                {"error": "invalid_token", "error_description": "re-authorize with the ZenCreator MCP server"},
                401,
                {"www-authenticate": self._challenge()},
            )
        version = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
        if self._services.settings.legacy_only and scope["path"] == "/mcp" and version and version not in _ERA_BEFORE:
            message = f"Bad Request: Unsupported protocol version: {version}"
            return JSONResponse({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": message}}, 400)
        return None

    def _may_enter(self, path: str, given: bytes) -> bool:
        token, authorization = self._services.settings.token, self._services.authorization
        if token is not None and path.startswith("/mcp"):
            return hmac.compare_digest(given, f"Bearer {token}".encode())
        if authorization is not None and path.startswith("/mcp"):
            kind, _, text = given.decode("latin-1").partition(" ")
            return kind.lower() == "bearer" and authorization.accepts(text.strip())
        return True

    def _may_administer(self, path: str, given: bytes) -> bool:
        token = self._services.settings.admin_token or self._services.settings.token
        if token is None or not path.startswith("/admin"):
            return True
        return hmac.compare_digest(given, f"Bearer {token}".encode())

    def _challenge(self) -> str:
        return (
            'Bearer error="invalid_token"'
            if self._services.authorization is None
            else challenge(self._services.base_url)
        )

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole(receive)
        if body is None:
            await Response(status_code=413)(scope, receive, send)
            return
        name, arguments = _request_in(body)
        self.arrived[name] += 1
        triggered = self._faults.draw(name, arguments)
        scope[FAULTS_KEY] = triggered
        again = _replayed(body, receive)
        if slow := triggered.first("slow"):
            await self._services.clock.sleep(slow.seconds)
        rule = triggered.first(*_WIRE)
        if rule is None:
            await self._inside(scope, again, send)
        elif rule.kind == "delayed_effect":
            self._services.world.postpone(PREFIX + name, dict(arguments), rule.seconds)
            await cut_connection(again, send, after_flush=False)
        else:
            await self._gone_wrong(triggered, scope, again, send)

    async def _gone_wrong(self, triggered: TriggeredFaults, scope: Scope, receive: Receive, send: Send) -> None:
        rule = triggered.first(*_WIRE)
        assert rule is not None
        answer: list[Message] = []
        if rule.when == "after" or rule.kind == "truncate_body":
            answer = await self._performed(scope, receive)
        if rule.kind == "drop":
            await cut_connection(receive, send, after_flush=False)
        elif rule.kind == "truncate_body":
            await _send_half(answer, receive, send)
        elif rule.kind == "garbage":
            await Response("<html><body>upstream connect error</body></html>", 200, media_type="text/html")(
                scope, receive, send
            )
        else:
            headers = {} if rule.retry_after_s is None else {"retry-after": f"{rule.retry_after_s:g}"}
            await Response(rule.message, rule.status, headers, "text/plain")(scope, receive, send)

    async def _performed(self, scope: Scope, receive: Receive) -> list[Message]:
        """What the application would have answered; the request has taken effect."""
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._inside(scope, receive, keep)
        return answer


def is_own_address(host: bytes, origin: bytes | None, base_url: str) -> bool:
    """Whether a request was meant for this server: a web page elsewhere can send one, also under a name that it made lead here.

    A name can be made to lead anywhere, a number cannot: so the host is a number, this machine's own name, or our address.
    """
    try:
        named = urlsplit(f"//{host.decode('ascii')}")
        ours = urlsplit(base_url).hostname
        if host and not (named.hostname in ("localhost", ours) or _is_number(named.hostname or "")):
            return False
        if origin is None:
            return True
        asked = urlsplit(origin.decode("ascii"))
        return asked.hostname in ("localhost", "127.0.0.1", "::1") or asked.netloc == named.netloc
    except ValueError:
        return False


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _send_half(answer: list[Message], receive: Receive, send: Send) -> None:
    body = b"".join(message.get("body", b"") for message in answer[1:])
    await send(answer[0])
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await cut_connection(receive, send, after_flush=True)


async def _whole(receive: Receive) -> bytes | None:
    """The request's body; None if it is larger than the edge lets through."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _request_in(body: bytes) -> tuple[str, Mapping[str, Any]]:
    """The tool without its prefix and its arguments, or the protocol's method."""
    try:
        request = json.loads(body)
        method, params = str(request["method"]), request.get("params") or {}
        if method != "tools/call":
            return method, {}
        arguments = params.get("arguments")
        return str(params["name"]).removeprefix(PREFIX), arguments if isinstance(arguments, dict) else {}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "unreadable", {}


def faults_of(request: Any) -> TriggeredFaults:
    """The mishaps that the door has drawn for the request that a tool handler was given."""
    triggered = request.scope.get(FAULTS_KEY, NOTHING) if request is not None else NOTHING
    return triggered if isinstance(triggered, TriggeredFaults) else NOTHING
