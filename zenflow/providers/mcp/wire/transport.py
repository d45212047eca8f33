"""The transport beneath the SDK: every failure of HTTP becomes a JSON-RPC answer that carries the facts.

The SDK ends the whole session, and every call on it, when its HTTP client raises, and it hides statuses and
`Retry-After` (docs/architecture.md, “What makes it fast”). So nothing is raised here: a broken connection, a time-out, a
3xx, 4xx or 5xx is answered to the SDK as an error of ours (`WIRE_TROUBLE`, facts in `data`), and costs one call. Adds
the token, follows no redirect, repeats nothing. Knows nothing of tools.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx2

from zenflow.clock import Clock
from zenflow.errors import ZenflowError
from zenflow.providers.base import WireFacts
from zenflow.providers.mcp.tokens.source import TokenSource
from zenflow.providers.mcp.wire.exchange import Break, Exchange, exchange

WIRE_TROUBLE = -31950
"""Outside JSON-RPC's reserved range, so that no server's own code can be taken for it."""

SESSION_HEADER = "mcp-session-id"
DEFAULT_DEADLINE_S = 60.0
_CONNECTING_DEADLINE_S = 9.0  # below the SDK's own 10 s for `server/discover`, so that ours, with facts, comes first
_CLOSING_DEADLINE_S = 3.0
_NEGOTIATION = ("server/discover", "initialize")


class WireLog:
    """What became of each request, by its JSON-RPC id: how `call` learns the facts of a request the SDK made."""

    def __init__(self) -> None:
        self._deadlines: dict[int, float] = {}
        self._exchanges: dict[int, Exchange] = {}
        self._troubles: dict[int, ZenflowError] = {}

    def expect(self, request_id: int, deadline_s: float) -> None:
        self._deadlines[request_id] = deadline_s

    def deadline_s(self, request_id: object) -> float | None:
        return self._deadlines.get(request_id) if isinstance(request_id, int) else None

    def put(self, request_id: object, what: Exchange | ZenflowError) -> None:
        if isinstance(request_id, int) and request_id in self._deadlines:
            if isinstance(what, Exchange):
                self._exchanges[request_id] = what
            else:
                self._troubles[request_id] = what

    def take(self, request_id: int) -> tuple[Exchange | None, ZenflowError | None]:
        self._deadlines.pop(request_id, None)
        return self._exchanges.pop(request_id, None), self._troubles.pop(request_id, None)


class AnsweringTransport(httpx2.AsyncBaseTransport):
    """One per SDK session. Closing it leaves the connections below alone: they belong to the `Session`."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, tokens: TokenSource, clock: Clock, *, traced: bool) -> None:
        self._inner = inner
        self._tokens = tokens
        self._clock = clock
        self._traced = traced
        self.session_id: str | None = None
        self.log = WireLog()
        self.last: Exchange | None = None  # of the negotiation, for the words of a failed connect
        self.trouble: ZenflowError | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            # The stream of server-initiated messages. We answer none, so no connection is spent on it (“MAY 405”).
            return httpx2.Response(405)
        body = _json_object(await request.aread())
        method = body.get("method")
        if method == "notifications/cancelled":
            # A courtesy that costs: the SDK writes nothing else until it is answered, and no call of ours needs it.
            return httpx2.Response(202)
        if request.method != "POST" or method is None or "id" not in body:
            return await self._pass_on(request)
        return await self._answer(request, str(method), body["id"])

    async def _answer(self, request: httpx2.Request, method: str, request_id: object) -> httpx2.Response:
        negotiating = method in _NEGOTIATION
        deadline_s = self.log.deadline_s(request_id) or (_CONNECTING_DEADLINE_S if negotiating else DEFAULT_DEADLINE_S)
        try:
            await authorize(request, self._tokens)
        except ZenflowError as no:
            self.log.put(request_id, no)
            self.trouble = no
            return _error(request_id, WIRE_TROUBLE, no.message, data_of(WireFacts("not_connected", detail=no.message)))
        what = await exchange(self._inner, request, deadline_s=deadline_s, traced=self._traced, now=self._clock.now)
        self.log.put(request_id, what)
        if negotiating:
            self.last = what
            self.session_id = what.headers.get(SESSION_HEADER) or self.session_id
        return _as_answer(what, request_id, negotiating)

    async def _pass_on(self, request: httpx2.Request) -> httpx2.Response:
        """A notification, an answer of ours, or the end of the session: nobody waits for what becomes of it."""
        try:
            await authorize(request, self._tokens)
        except ZenflowError:
            return httpx2.Response(503)
        deadline_s = _CLOSING_DEADLINE_S if request.method == "DELETE" else _CONNECTING_DEADLINE_S
        what = await exchange(self._inner, request, deadline_s=deadline_s, traced=self._traced, now=self._clock.now)
        return httpx2.Response(what.facts.status or 503)

    async def aclose(self) -> None:
        return


async def authorize(request: httpx2.Request, tokens: TokenSource) -> None:
    """Put the token on a request. Raises what the source raises."""
    token = await tokens.token()
    if token:
        request.headers["authorization"] = f"Bearer {token}"


def data_of(facts: WireFacts, broke: Break = "") -> dict[str, Any]:
    """The facts as the `data` of a JSON-RPC error."""
    return {
        "reached": facts.reached,
        "status": facts.status,
        "retry_after_s": facts.retry_after_s,
        "detail": facts.detail,
        "broke": broke,
    }


def _as_answer(what: Exchange, request_id: object, negotiating: bool) -> httpx2.Response:
    message = what.message
    if message is not None and (what.ok or (negotiating and "error" in message)):
        # The SDK needs a server's own errors while it negotiates, whatever the status they came with.
        answer = {**message, "jsonrpc": "2.0", "id": request_id}
        if "error" in answer or isinstance(answer.get("result"), dict):
            return _json(answer, what.headers.get(SESSION_HEADER))
    detail = what.facts.detail or f"HTTP {what.facts.status} without an answer"
    return _error(request_id, WIRE_TROUBLE, detail, data_of(what.facts, what.broke))


def _error(request_id: object, code: int, message: str, data: Mapping[str, Any]) -> httpx2.Response:
    return _json({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message, "data": data}}, None)


def _json(value: Mapping[str, Any], session_id: str | None) -> httpx2.Response:
    headers = {"content-type": "application/json"}
    if session_id:
        headers[SESSION_HEADER] = session_id
    return httpx2.Response(200, headers=headers, content=json.dumps(value, separators=(",", ":")).encode())


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
