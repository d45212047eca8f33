"""The JSON documents of a sign-in, read with care: metadata, a registered client, tokens.

Sources: RFC 9728 (protected resource), RFC 8414 (authorization server), RFC 7591 (registration), RFC 6749 (tokens), and
the authorization pages of the MCP specification. A document that lacks what it must hold is None here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from zenflow.errors import UsageError
from zenflow.providers.mcp.tokens.source import checked_token
from zenflow.providers.mcp.wire.json_text import read_json

LONGEST_LIFE_S = 10 * 365 * 86_400
"""A token that claims to live longer lives this long: dates end somewhere."""

CLIENT_AUTHENTICATIONS = ("none", "client_secret_basic", "client_secret_post")
"""The ways in which zenflow can authenticate a registered client (RFC 7591, `token_endpoint_auth_method`)."""


@dataclass(frozen=True, slots=True)
class ProtectedResource:
    """What an MCP server says of itself: its name, and who signs people in."""

    resource: str
    authorization_servers: tuple[str, ...]
    scopes: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """An authorization server: where to register, to send people, and to ask for tokens."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    registration_endpoint: str | None
    revocation_endpoint: str | None
    scopes: tuple[str, ...] | None
    code_challenge_methods: tuple[str, ...] | None
    sends_issuer: bool  # RFC 9207


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    client_id: str
    client_secret: str | None = field(repr=False)
    authentication: str


@dataclass(frozen=True, slots=True)
class Tokens:
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    lives_s: int | None
    scope: str | None


def object_in(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object that a body is; an empty one for anything else."""
    try:
        value = read_json(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def protected_resource_in(body: bytes) -> ProtectedResource | None:
    document = object_in(body)
    resource, servers = _address(document.get("resource")), _texts(document.get("authorization_servers"))
    if resource is None or not servers or _address(servers[0]) is None:
        return None
    return ProtectedResource(resource, servers, _texts(document.get("scopes_supported")))


def server_metadata_in(body: bytes) -> ServerMetadata | None:
    document = object_in(body)
    issuer = _address(document.get("issuer"))
    authorization, token = _address(document.get("authorization_endpoint")), _address(document.get("token_endpoint"))
    if issuer is None or authorization is None or token is None:
        return None
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=authorization,
        token_endpoint=token,
        registration_endpoint=_address(document.get("registration_endpoint")),
        revocation_endpoint=_address(document.get("revocation_endpoint")),
        scopes=_texts(document.get("scopes_supported")),
        code_challenge_methods=_texts(document.get("code_challenge_methods_supported")),
        sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def client_in(body: bytes) -> RegisteredClient | None:
    """Return the client of a registration. Placeholders (`null`, `""`) count as absent, as servers write both."""
    document = object_in(body)
    client_id, secret = _text(document.get("client_id")), _text(document.get("client_secret"))
    if client_id is None:
        return None
    return RegisteredClient(client_id, secret, _text(document.get("token_endpoint_auth_method")) or "none")


def tokens_in(body: bytes) -> Tokens | None:
    """Return the tokens of an answer, or None where one of them could not be sent in a header."""
    document = object_in(body)
    kind = document.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return None
    access, refresh = _text(document.get("access_token")), _text(document.get("refresh_token"))
    try:
        access = checked_token(access or "")
    except UsageError:
        return None
    return Tokens(access, refresh, _life_s(document.get("expires_in")), _text(document.get("scope")))


def field_in_challenge(header: str | None, name: str) -> str | None:
    """Return a field of a `WWW-Authenticate` header (RFC 6750, 3; RFC 9728, 5.1)."""
    found = re.search(rf'{name}=(?:"([^"]+)"|([^\s,]+))', header[:10_000]) if header else None
    return (found.group(1) or found.group(2)) if found else None


def _life_s(value: Any) -> int | None:
    """Whole seconds; some servers send them as text."""
    try:
        return None if value is None or isinstance(value, bool) else max(0, int(min(float(value), LONGEST_LIFE_S)))
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: Any) -> tuple[str, ...] | None:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else None


def _address(value: Any) -> str | None:
    """Return an http or https address as it is written: issuers are compared as texts (RFC 8414, 3.3)."""
    if not isinstance(value, str) or not value.isascii() or any(c.isspace() or not c.isprintable() for c in value):
        return None
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return None
    return value if is_address else None
