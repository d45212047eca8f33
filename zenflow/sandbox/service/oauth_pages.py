"""The addresses of sign-in: metadata, registration, authorization (approved by itself), token, revocation.

Sources: the MCP specification, “Authorization”; RFC 9728 (protected resource), 8414 (server metadata), 7591, 7009, 9207.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from zenflow.sandbox.faults import Faults, TriggeredFaults
from zenflow.sandbox.oauth import SCOPE, Authorization, OAuthRefusal

_FRESH = {"cache-control": "no-store"}


def resource_metadata_url(base_url: str) -> str:
    return f"{base_url}/.well-known/oauth-protected-resource/mcp"


def challenge(base_url: str) -> str:
    """`WWW-Authenticate` of a 401 (RFC 9728, 5.1)."""
    return f'Bearer error="invalid_token", resource_metadata="{resource_metadata_url(base_url)}"'


def oauth_routes(authorization: Authorization, base_url: str, faults: Faults) -> list[BaseRoute]:
    """Everything that a client needs to sign in. Faults may be asked for by the names `register` and `token`."""
    pages = _Pages(authorization, base_url, faults)
    return [
        Route("/.well-known/oauth-protected-resource", pages.resource, methods=["GET"]),
        Route("/.well-known/oauth-protected-resource/mcp", pages.resource, methods=["GET"]),
        Route("/.well-known/oauth-authorization-server", pages.server, methods=["GET"]),
        Route("/oauth/register", pages.register, methods=["POST"]),
        Route("/oauth/authorize", pages.authorize, methods=["GET"]),
        Route("/oauth/token", pages.token, methods=["POST"]),
        Route("/oauth/revoke", pages.revoke, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class _Pages:
    """One method per address."""

    authorization: Authorization
    base_url: str
    faults: Faults

    async def resource(self, request: Request) -> Response:
        return JSONResponse(
            {
                "resource": self.authorization.resource,
                "authorization_servers": [self.base_url],
                "scopes_supported": [SCOPE],
                "bearer_methods_supported": ["header"],
                "resource_name": "zenflow sandbox",
            }
        )

    async def server(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.base_url,
                "authorization_endpoint": f"{self.base_url}/oauth/authorize",
                "token_endpoint": f"{self.base_url}/oauth/token",
                "registration_endpoint": f"{self.base_url}/oauth/register",
                "revocation_endpoint": f"{self.base_url}/oauth/revoke",
                "scopes_supported": [SCOPE],
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_methods_supported": ["none"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def register(self, request: Request) -> Response:
        if (spoiled := _spoiled(self.faults.draw("register", {}))) is not None:
            return spoiled
        wanted = await _json(request)
        try:
            client_id = self.authorization.register(wanted.get("client_name"), wanted.get("redirect_uris"))
        except OAuthRefusal as no:
            return _refusal(no)
        kept = {name: wanted[name] for name in ("client_name", "redirect_uris", "grant_types") if name in wanted}
        return JSONResponse({**kept, "client_id": client_id, "token_endpoint_auth_method": "none"}, 201)

    async def authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        redirect_uri = query.get("redirect_uri", "")
        if not self.authorization.knows_redirect(query.get("client_id", ""), redirect_uri):
            # never redirected: the address is not one that the client has named (OAuth 2.1, 4.1.2.1)
            return PlainTextResponse("unknown client or redirect_uri", 400)
        answer = {"state": query.get("state", ""), "iss": self.base_url}
        denied = self.faults.draw("authorize", {}).first("sign_in_denied")
        try:
            if denied is not None:
                raise OAuthRefusal("access_denied", denied.message)
            answer["code"] = self.authorization.approve(query)
        except OAuthRefusal as no:
            answer |= {"error": no.error, "error_description": no.description}
        mark = "&" if "?" in redirect_uri else "?"
        return RedirectResponse(f"{redirect_uri}{mark}{urlencode(answer)}", 302, _FRESH)

    async def token(self, request: Request) -> Response:
        triggered = self.faults.draw("token", {})
        if (spoiled := _spoiled(triggered, "before")) is not None:
            return spoiled
        try:
            issued = self.authorization.token(await _form(request))
        except OAuthRefusal as no:
            return _refusal(no)
        if (spoiled := _spoiled(triggered)) is not None:
            return spoiled
        document = {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": max(1, round(issued.expires_in_s)),
            "refresh_token": issued.refresh_token,
            "scope": SCOPE,
        }
        return JSONResponse(document, 200, _FRESH)

    async def revoke(self, request: Request) -> Response:
        self.authorization.revoke((await _form(request)).get("token", ""))
        return Response(status_code=200)


def _spoiled(triggered: TriggeredFaults, when: str | None = None) -> Response | None:
    rule = triggered.first("http_status")
    if rule is None or (when is not None and rule.when != when):
        return None
    return PlainTextResponse(rule.message, rule.status)


def _refusal(no: OAuthRefusal) -> Response:
    return JSONResponse({"error": no.error, "error_description": no.description}, no.status, _FRESH)


async def _form(request: Request) -> Mapping[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


async def _json(request: Request) -> Mapping[str, Any]:
    try:
        found = await request.json()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
