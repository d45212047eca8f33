"""Who may talk to the web view: this machine's browser with the token of this start, and nobody else.

The first address holds a random token. It becomes a cookie that scripts cannot read and other sites cannot send. `Host`
must be the address that we listen on (DNS rebinding), `Origin` must be ours, and every change is a POST with a token of
its own. Answers carry a strict Content-Security-Policy.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "zenflow_session"
MOST_BODY = 256 * 1024 * 1024  # a form with an uploaded photo
_POLICY = (
    "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with no-referrer a browser sends `Origin: null`
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@dataclass(slots=True)
class Secrets:
    """The secrets of one start: `url` opens the view once, `session` is the cookie, `form` goes with each change."""

    url: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    form: str = field(default_factory=lambda: secrets.token_urlsafe(32))


class Guard:
    """ASGI middleware that refuses what does not come from the operator's own browser."""

    def __init__(self, app: ASGIApp, keys: Secrets, hosts: frozenset[str]) -> None:
        self._app, self._keys, self._hosts = app, keys, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        refused = self._refusal(request)
        sender = _with_headers(send)
        if refused is not None:
            await refused(scope, receive, sender)
            return
        await self._app(scope, receive, sender)

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("host", "").lower() not in self._hosts:
            return PlainTextResponse("unknown host", 421)
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() not in self._hosts:
            return PlainTextResponse("this request comes from another site", 403)
        if request.method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("method not allowed", 405)
        if request.method == "POST" and origin is None and request.headers.get("sec-fetch-site") != "same-origin":
            return PlainTextResponse("a change needs an origin", 403)
        if int(request.headers.get("content-length") or 0) > MOST_BODY:
            return PlainTextResponse("the form is too large", 413)
        given = request.query_params.get("token")
        if (
            given is not None
            and request.method == "GET"
            and secrets.compare_digest(given.encode(), self._keys.url.encode())
        ):
            answer = RedirectResponse(request.url.path, 303)
            answer.set_cookie(COOKIE, self._keys.session, httponly=True, samesite="strict", path="/")
            return answer
        cookie = request.cookies.get(COOKIE, "")
        if not secrets.compare_digest(cookie.encode(), self._keys.session.encode()):
            text = "Open the address that `zenflow ui` printed: it holds the token of this start."
            return PlainTextResponse(text, 403)
        return None


def _with_headers(send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sender
