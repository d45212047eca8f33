"""The requests of a sign-in: metadata, registration, code for tokens, refresh, revocation. Each is sent once.

Redirects are not followed. Each answer is read up to 1 MiB and within 20 s. Nothing secret is in an error.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import httpx2

from zenflow.clock import Clock
from zenflow.providers.base import SIGN_IN_AGAIN, ServiceError, ServiceTrouble
from zenflow.providers.mcp.session.connect_errors import checked_url, connect_error
from zenflow.providers.mcp.signin.documents import (
    CLIENT_AUTHENTICATIONS,
    ProtectedResource,
    RegisteredClient,
    ServerMetadata,
    Tokens,
    client_in,
    field_in_challenge,
    object_in,
    protected_resource_in,
    server_metadata_in,
    tokens_in,
)
from zenflow.providers.mcp.tokens.store import Grant
from zenflow.providers.mcp.wire.envelope import MODERN_VERSIONS, USER_AGENT, VERSION_HEADER
from zenflow.providers.mcp.wire.exchange import Exchange, exchange
from zenflow.providers.mcp.wire.http import HttpParts, stays_secret

DEADLINE_S = 20.0
ANSWER_LIMIT_BYTES = 1024 * 1024
_GRANT_TYPES = ("authorization_code", "refresh_token")
_ENDED = ("invalid_grant", "invalid_client", "unauthorized_client", "invalid_target")
_TOKEN_INSTEAD = "Set ZENFLOW_TOKEN to a token that the server's operator gives you."


class GrantEnded(Exception):
    """The refresh token is not accepted any more: only the operator can continue."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs people in for a server, and for which audience."""

    server: str
    resource: str
    metadata: ServerMetadata
    scope: str | None


async def discover(http: HttpParts, clock: Clock, url: str) -> Authority:
    """Return the authorization server of an MCP server. Raise `ServiceError`."""
    server = checked_url(url)
    resource, scope = await _protected_resource(http, clock, server)
    if resource is not None and not covers(resource.resource, _canonical(server)):
        # a token asked for there would be another server's (RFC 9728, 7.3)
        raise ServiceError("sign_in", f"{server} says that it is {resource.resource}", hint="Check the address.")
    issuer = resource.authorization_servers[0] if resource is not None else None
    metadata = await _server_metadata(http, clock, issuer, server)
    if metadata is None:
        raise ServiceError(
            "sign_in",
            f"{server} names nobody who signs people in",
            hint=f"It may need no sign-in. {_TOKEN_INSTEAD}",
        )
    if issuer is not None and not is_same_issuer(metadata.issuer, issuer):
        raise ServiceError("sign_in", f"the sign-in of {server} calls itself {metadata.issuer}, not {issuer}")
    if metadata.code_challenge_methods is not None and "S256" not in metadata.code_challenge_methods:
        raise ServiceError("sign_in", f"the sign-in of {server} does not know PKCE with S256")
    for endpoint in (
        metadata.authorization_endpoint,
        metadata.token_endpoint,
        metadata.registration_endpoint,
        metadata.revocation_endpoint,
    ):
        _check_secure(endpoint)
    audience = resource.resource if resource is not None else _canonical(server)
    return Authority(server, audience, metadata, wanted_scope(scope, resource, metadata))


async def register(http: HttpParts, clock: Clock, authority: Authority, redirect_uri: str) -> RegisteredClient:
    """Register a client of our own at that authority (RFC 7591)."""
    issuer = authority.metadata.issuer
    wanted = {
        "redirect_uris": [redirect_uri],
        "client_name": "zenflow",
        "token_endpoint_auth_method": "none",
        "grant_types": list(_GRANT_TYPES),
        "response_types": ["code"],
        "application_type": "native",
        **({"scope": authority.scope} if authority.scope else {}),
    }
    # The path of revision 2025-03-26 where the metadata names none.
    endpoint = authority.metadata.registration_endpoint or urljoin(issuer, "/register")
    what = await _send(http, clock, _request("POST", endpoint, json=wanted))
    if what.facts.status not in (200, 201):
        raise _not_registered(authority, f"HTTP {what.facts.status}")
    client = client_in(what.body)
    if client is None:
        raise _not_registered(authority, "its answer names no client")
    if client.authentication not in CLIENT_AUTHENTICATIONS:
        raise _not_registered(authority, f"it wants the unknown client authentication {client.authentication!r}")
    if client.authentication != "none" and client.client_secret is None:
        raise _not_registered(authority, f"it wants {client.authentication} and gives no secret")
    return client


def _not_registered(authority: Authority, why: str) -> ServiceError:
    if authority.metadata.registration_endpoint is None:
        why = f"it names no registration endpoint ({why})"
    return ServiceError(
        "sign_in", f"cannot register zenflow at {authority.metadata.issuer}: {why}", hint=_TOKEN_INSTEAD
    )


async def exchange_code(
    http: HttpParts,
    clock: Clock,
    authority: Authority,
    client: RegisteredClient,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
) -> Grant:
    """Return the grant for an authorization code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    grant = Grant(
        server=authority.server,
        token_endpoint=authority.metadata.token_endpoint,
        client_id=client.client_id,
        client_secret=client.client_secret,
        client_auth=client.authentication,
        resource=authority.resource,
        access_token="",
        issuer=authority.metadata.issuer,
        scope=authority.scope,
        revocation_endpoint=authority.metadata.revocation_endpoint,
    )
    try:
        return await _ask_for_tokens(http, clock, grant, form)
    except GrantEnded as no:
        raise ServiceError("sign_in", f"{grant.issuer} did not accept the sign-in: {no}", hint="Try again.") from no


async def refresh(http: HttpParts, clock: Clock, grant: Grant) -> Grant:
    """Return the grant with fresh tokens. Raise `GrantEnded` when it was revoked, `ServiceError` for other trouble."""
    if grant.refresh_token is None:
        raise GrantEnded("it cannot be refreshed")
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
    return await _ask_for_tokens(http, clock, grant, form)


async def revoke(http: HttpParts, clock: Clock, grant: Grant) -> bool:
    """End the grant at the server (RFC 7009); False where it has no place for that, or was away."""
    if grant.revocation_endpoint is None:
        return False
    form = {"token": grant.refresh_token or grant.access_token}
    try:
        what = await _send(http, clock, _form_request(grant.revocation_endpoint, grant, form))
    except ServiceError:
        return False
    return what.facts.status == 200


async def _ask_for_tokens(http: HttpParts, clock: Clock, grant: Grant, form: Mapping[str, str]) -> Grant:
    asked_at = clock.now()
    request = _form_request(grant.token_endpoint, grant, {**form, "resource": grant.resource})
    what = await _send(http, clock, request)
    if what.facts.status != 200:
        raise _refusal(what, grant)
    tokens = tokens_in(what.body)
    if tokens is None:
        raise ServiceError("server", f"{grant.issuer} answered no token that can be read")
    return _with(grant, tokens, asked_at)


def _with(grant: Grant, tokens: Tokens, asked_at: datetime) -> Grant:
    """Counted from before the question: the answer's way is not part of the token's life."""
    return replace(
        grant,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token or grant.refresh_token,  # not every server rotates
        issued_at=asked_at,
        expires_at=None if tokens.lives_s is None else asked_at + timedelta(seconds=tokens.lives_s),
        scope=tokens.scope or grant.scope,
    )


def _refusal(what: Exchange, grant: Grant) -> Exception:
    status, document = what.facts.status, object_in(what.body)
    error, said = (str(document.get(key) or "") for key in ("error", "error_description"))
    if error in _ENDED:
        return GrantEnded(said or error)
    trouble: ServiceTrouble = "rate_limited" if status == 429 else "server"
    words = said or error or f"HTTP {status}"
    return ServiceError(trouble, f"{grant.issuer} gave no token: {words}", status=status, facts=what.facts)


def _form_request(url: str, grant: Grant, form: Mapping[str, str]) -> httpx2.Request:
    """Build a request with the client's authentication as it was registered (RFC 6749, 2.3.1)."""
    _check_secure(url)
    data, headers = {"client_id": grant.client_id, **form}, {}
    if grant.client_secret and grant.client_auth == "client_secret_basic":
        pair = f"{quote(grant.client_id, safe='')}:{quote(grant.client_secret, safe='')}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif grant.client_secret and grant.client_auth == "client_secret_post":
        data["client_secret"] = grant.client_secret
    return _request("POST", url, data=data, headers=headers)


# ------------------------------------------------------------------------------------------------------------- discovery


async def _protected_resource(
    http: HttpParts, clock: Clock, server: str
) -> tuple[ProtectedResource | None, str | None]:
    """The server's own word on who signs people in, and the scope that its 401 asks for."""
    knock = _request("POST", server, json={}, headers={"accept": "application/json"})
    what = await _send(http, clock, knock)
    challenge = what.headers.get("www-authenticate") if what.facts.status in (401, 403) else None
    scope = field_in_challenge(challenge, "scope") if what.facts.status == 401 else None
    for url in resource_addresses(field_in_challenge(challenge, "resource_metadata"), server):
        _check_secure(url)
        answer = await _send(http, clock, _metadata_request(url))
        found = protected_resource_in(answer.body) if answer.facts.status == 200 else None
        if found is not None:
            return found, scope
    return None, scope


async def _server_metadata(http: HttpParts, clock: Clock, issuer: str | None, server: str) -> ServerMetadata | None:
    for url in metadata_addresses(issuer, server):
        _check_secure(url)
        answer = await _send(http, clock, _metadata_request(url))
        status = answer.facts.status or 0
        found = server_metadata_in(answer.body) if status == 200 else None
        if found is not None or not 200 <= status < 500:
            return found
    return None


def resource_addresses(named: str | None, server: str) -> tuple[str, ...]:
    """Where a server's metadata may be: where its 401 says, then by path, then at the root (RFC 9728, 3)."""
    parts = urlsplit(server)
    root = f"{parts.scheme}://{parts.netloc}/.well-known/oauth-protected-resource"
    by_path = (root + parts.path,) if parts.path.strip("/") else ()
    return (*((named,) if named else ()), *by_path, root)


def metadata_addresses(issuer: str | None, server: str) -> tuple[str, ...]:
    """Where an authorization server's metadata may be (RFC 8414, 3 and 5; OpenID Connect Discovery, 4)."""
    parts = urlsplit(issuer or server)
    root = f"{parts.scheme}://{parts.netloc}"
    oauth, openid = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
    if issuer is None:
        return (root + oauth,)  # revision 2025-03-26
    path = parts.path.rstrip("/")
    if not path:
        return (root + oauth, root + openid)
    return (root + oauth + path, root + openid + path, root + path + openid)


def wanted_scope(challenged: str | None, resource: ProtectedResource | None, metadata: ServerMetadata) -> str | None:
    """The scope to ask for: the challenge's, else the server's, else the authority's; with a refresh token if it can."""
    scopes = challenged.split() if challenged is not None else None
    if scopes is None and resource is not None and resource.scopes is not None:
        scopes = list(resource.scopes)
    if scopes is None and metadata.scopes is not None:
        scopes = list(metadata.scopes)
    if scopes is None:
        return None
    if "offline_access" in (metadata.scopes or ()) and "offline_access" not in scopes:
        scopes.append("offline_access")
    return " ".join(scopes)


def covers(resource: str, server: str) -> bool:
    """Whether a token for `resource` is one for `server`: the same origin, and a path that begins there."""
    wide, narrow = urlsplit(resource), urlsplit(server)
    if (wide.scheme.lower(), wide.netloc.lower()) != (narrow.scheme.lower(), narrow.netloc.lower()):
        return False
    return f"{narrow.path.rstrip('/')}/".startswith(f"{wide.path.rstrip('/')}/")


def is_same_issuer(one: str, other: str) -> bool:
    """Compare as texts (RFC 8414, 3.3), but for the final `/` of an issuer without a path."""
    shorter, longer = sorted((one, other), key=len)
    return one == other or (longer == f"{shorter}/" and urlsplit(shorter).path == "")


def _canonical(server: str) -> str:
    """The `resource` of RFC 8707 for a server that does not name itself: its address, lower case, no fragment."""
    parts = urlsplit(server)
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path, parts.query, ""))


def _metadata_request(url: str) -> httpx2.Request:
    return _request("GET", url, headers={VERSION_HEADER: MODERN_VERSIONS[-1]})


def _check_secure(url: str | None) -> None:
    """Secrets travel over TLS, or stay on this machine (OAuth 2.1, 1.5)."""
    if url is not None and not stays_secret(url):
        parts = urlsplit(url)
        raise ServiceError("sign_in", f"the sign-in leads to {parts.scheme}://{parts.hostname}, which is not secure")


def _request(method: str, url: str, **parts: Any) -> httpx2.Request:
    try:
        return httpx2.Request(method, url, **parts)
    except (httpx2.InvalidURL, ValueError):  # half a character in a field counts too
        raise ServiceError("sign_in", "the sign-in leads to an address that is none") from None


async def _send(http: HttpParts, clock: Clock, request: httpx2.Request) -> Exchange:
    """One request, its answer read whole within bounds. Raise `ServiceError` where none came."""
    request.headers["user-agent"] = USER_AGENT
    url = str(request.url)
    transport = http.single(url)
    try:
        what = await exchange(
            transport,
            request,
            deadline_s=DEADLINE_S,
            traced=http.traced,
            now=clock.now,
            limit_bytes=ANSWER_LIMIT_BYTES,
        )
    finally:
        await transport.aclose()
    if what.broke == "too_large":
        raise ServiceError(
            "server", f"the sign-in at {request.url.host} answered more than {ANSWER_LIMIT_BYTES >> 20} MiB"
        )
    if what.facts.reached != "answered":
        raise connect_error(url, what, "")
    return what


def ended(server: str, why: object) -> ServiceError:
    """The words for a grant that is over."""
    return ServiceError("sign_in", f"the sign-in at {server} has ended: {why}", status=401, hint=SIGN_IN_AGAIN)
