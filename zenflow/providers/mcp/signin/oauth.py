"""The requests of a sign-in: metadata, registration, code for tokens, refresh, revocation. Each is sent once.

The SDK's own helpers build and read them (`mcp.client.auth.utils`); its provider is not used, because it holds a lock
around every MCP request (docs/architecture.md). Redirects are not followed. Nothing secret stands in an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
from mcp.client.auth import OAuthFlowError, OAuthRegistrationError, OAuthTokenError
from mcp.client.auth.oauth2 import OAuthContext, check_registration_usable
from mcp.client.auth.utils import (
    build_oauth_authorization_server_metadata_discovery_urls,
    build_protected_resource_metadata_discovery_urls,
    create_client_registration_request,
    create_oauth_metadata_request,
    extract_resource_metadata_from_www_auth,
    extract_scope_from_www_auth,
    get_client_metadata_scopes,
    handle_auth_metadata_response,
    handle_protected_resource_response,
    handle_registration_response,
    handle_token_response_scopes,
    issuers_match,
)
from mcp.shared.auth import (
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthMetadata,
    OAuthToken,
    ProtectedResourceMetadata,
)
from mcp.shared.auth_utils import check_resource_allowed, resource_url_from_server_url
from pydantic import AnyUrl, ValidationError

from zenflow.clock import Clock
from zenflow.providers.base import SIGN_IN_AGAIN, ServiceError, WireFacts
from zenflow.providers.mcp.session.connect_errors import checked_url
from zenflow.providers.mcp.tokens.store import Grant
from zenflow.providers.mcp.wire.envelope import USER_AGENT
from zenflow.providers.mcp.wire.http import HttpParts, is_loopback

TIMEOUT_S = 20.0
_TIMEOUTS = {"connect": 10.0, "read": TIMEOUT_S, "write": TIMEOUT_S, "pool": TIMEOUT_S}
_NO_STORAGE: Any = None  # the SDK's context is used for its arithmetic alone


class GrantEnded(Exception):
    """The refresh token is not accepted any more: only a person can go on."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs people in for a server, and for which audience."""

    server: str
    resource: str
    metadata: OAuthMetadata
    scope: str | None


async def discover(http: HttpParts, url: str) -> Authority:
    """The authorization server of an MCP server. Raises ServiceError."""
    server = checked_url(url)
    resource, scope = await _protected_resource(http, server)
    if resource is not None and not check_resource_allowed(
        resource_url_from_server_url(server), str(resource.resource)
    ):
        # a token asked for there would be another server's (RFC 9728, 7.3)
        raise ServiceError("sign_in", f"{server} says that it is {resource.resource}", hint="check the address")
    issuer = str(resource.authorization_servers[0]) if resource is not None else None
    metadata = await _server_metadata(http, issuer, server)
    if metadata is None:
        raise ServiceError(
            "sign_in",
            f"{server} names nobody who signs people in",
            hint="it may need no sign-in, or a token from elsewhere: set ZENFLOW_TOKEN",
        )
    if issuer is not None and not issuers_match(str(metadata.issuer), issuer):
        raise ServiceError("sign_in", f"the sign-in of {server} calls itself {metadata.issuer}, not {issuer}")
    methods = metadata.code_challenge_methods_supported
    if methods is not None and "S256" not in methods:
        raise ServiceError("sign_in", f"the sign-in of {server} does not know PKCE with S256")
    for endpoint in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.registration_endpoint):
        _check_secure(str(endpoint) if endpoint is not None else None)
    scopes = get_client_metadata_scopes(scope, resource, metadata, ["authorization_code", "refresh_token"])
    return Authority(server, _audience(server, resource), metadata, scopes)


async def register(http: HttpParts, authority: Authority, redirect_uri: str) -> OAuthClientInformationFull:
    """A client of our own at that authority (RFC 7591)."""
    wanted = OAuthClientMetadata(
        redirect_uris=[AnyUrl(redirect_uri)],
        client_name="zenflow",
        token_endpoint_auth_method="none",
        scope=authority.scope,
    )
    issuer = str(authority.metadata.issuer)
    response = await _send(http, create_client_registration_request(authority.metadata, wanted, issuer))
    try:
        client = await handle_registration_response(response)
        check_registration_usable(client)
    except OAuthRegistrationError as no:
        raise ServiceError("sign_in", f"zenflow could not be registered at {issuer}: {no}") from no
    return client


async def exchange_code(
    http: HttpParts,
    clock: Clock,
    authority: Authority,
    client: OAuthClientInformationFull,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
) -> Grant:
    """The grant for an authorization code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    revocation = authority.metadata.revocation_endpoint
    grant = Grant(
        server=authority.server,
        token_endpoint=str(authority.metadata.token_endpoint),
        client_id=client.client_id,
        client_secret=client.client_secret,
        client_auth=client.token_endpoint_auth_method or "none",
        resource=authority.resource,
        access_token="",
        issuer=str(authority.metadata.issuer),
        scope=authority.scope,
        revocation_endpoint=str(revocation) if revocation is not None else None,
    )
    try:
        return await _ask_for_tokens(http, clock, grant, form)
    except GrantEnded as no:
        raise ServiceError("sign_in", f"{grant.issuer} did not accept the sign-in: {no}", hint="try again") from no


async def refresh(http: HttpParts, clock: Clock, grant: Grant) -> Grant:
    """The same grant with fresh tokens. Raises GrantEnded when it was revoked, ServiceError when asking went wrong."""
    if grant.refresh_token is None:
        raise GrantEnded("it cannot be refreshed")
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
    return await _ask_for_tokens(http, clock, grant, form)


async def revoke(http: HttpParts, grant: Grant) -> bool:
    """End the grant at the server (RFC 7009); False where it has no place for that, or was away."""
    if grant.revocation_endpoint is None:
        return False
    form = {"token": grant.refresh_token or grant.access_token}
    try:
        response = await _send(http, _form_request(grant.revocation_endpoint, grant, form))
    except ServiceError:
        return False
    return response.status_code == 200


async def _ask_for_tokens(http: HttpParts, clock: Clock, grant: Grant, form: Mapping[str, str]) -> Grant:
    asked_at = clock.now()
    response = await _send(http, _form_request(grant.token_endpoint, grant, {**form, "resource": grant.resource}))
    if response.status_code != 200:
        raise _refusal(response, grant)
    try:
        token = await handle_token_response_scopes(response)
    except (OAuthTokenError, ValidationError) as no:
        raise ServiceError("server", f"{grant.issuer} answered no token that can be read") from no
    return _with(grant, token, asked_at)


def _with(grant: Grant, token: OAuthToken, asked_at: Any) -> Grant:
    """Counted from before the question: the answer's way is not part of the token's life."""
    lives_s = token.expires_in
    return replace(
        grant,
        access_token=token.access_token,
        refresh_token=token.refresh_token or grant.refresh_token,  # not every server rotates
        issued_at=asked_at,
        expires_at=None if lives_s is None else asked_at + timedelta(seconds=lives_s),
        scope=token.scope or grant.scope,
    )


def _refusal(response: httpx2.Response, grant: Grant) -> Exception:
    status = response.status_code
    try:
        document = response.json()
    except ValueError:
        document = {}
    error = str(document.get("error", "")) if isinstance(document, Mapping) else ""
    said = str(document.get("error_description", "")) if isinstance(document, Mapping) else ""
    if error in ("invalid_grant", "invalid_client", "unauthorized_client", "invalid_target"):
        return GrantEnded(said or error)
    facts = WireFacts("answered", status)
    trouble: Any = "rate_limited" if status == 429 else "server"
    words = said or error or f"HTTP {status}"
    return ServiceError(trouble, f"{grant.issuer} gave no token: {words}", status=status, facts=facts)


def _form_request(url: str, grant: Grant, form: Mapping[str, str]) -> httpx2.Request:
    """With the client's own authentication as it was registered; the SDK knows the three ways."""
    context = OAuthContext(grant.server, _NO_STORAGE, _NO_STORAGE, None, None)
    context.client_info = OAuthClientInformationFull(
        client_id=grant.client_id,
        client_secret=grant.client_secret,
        token_endpoint_auth_method=grant.client_auth,
    )
    data, headers = context.prepare_token_auth({"client_id": grant.client_id, **form}, {})
    return httpx2.Request("POST", url, data=data, headers=headers)


# ------------------------------------------------------------------------------------------------------------- discovery


async def _protected_resource(http: HttpParts, server: str) -> tuple[ProtectedResourceMetadata | None, str | None]:
    """The server's own word on who signs people in, and the scope that its 401 asks for."""
    knock = await _send(http, httpx2.Request("POST", server, json={}, headers={"accept": "application/json"}))
    named = extract_resource_metadata_from_www_auth(knock)
    scope = extract_scope_from_www_auth(knock) if knock.status_code == 401 else None
    for url in build_protected_resource_metadata_discovery_urls(named, server):
        _check_secure(url)
        response = await _send(http, create_oauth_metadata_request(url))
        found = await handle_protected_resource_response(response)
        if found is not None:
            return found, scope
    return None, scope


async def _server_metadata(http: HttpParts, issuer: str | None, server: str) -> OAuthMetadata | None:
    for url in build_oauth_authorization_server_metadata_discovery_urls(issuer, server):
        _check_secure(url)
        go_on, found = await handle_auth_metadata_response(await _send(http, create_oauth_metadata_request(url)))
        if found is not None or not go_on:
            return found
    return None


def _audience(server: str, resource: ProtectedResourceMetadata | None) -> str:
    """The `resource` of RFC 8707: what the server calls itself, else its address."""
    return str(resource.resource) if resource is not None else resource_url_from_server_url(server)


def _check_secure(url: str | None) -> None:
    """Secrets travel over TLS, or stay on this machine (OAuth 2.1, 1.5)."""
    if url is None:
        return
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return
    if parts.hostname is not None and parts.hostname.endswith(".invalid"):
        return  # an application in this process
    raise ServiceError("sign_in", f"the sign-in leads to {parts.scheme}://{parts.hostname}, which is not secure")


async def _send(http: HttpParts, request: httpx2.Request) -> httpx2.Response:
    """One request, its answer read whole."""
    request.headers["user-agent"] = USER_AGENT
    request.extensions = {**request.extensions, "timeout": _TIMEOUTS}
    where = f"{request.url.scheme}://{request.url.host}"
    transport = http.single(str(request.url))
    try:
        response = await transport.handle_async_request(request)
        response.request = request
        await response.aread()
    except (httpx2.TransportError, OAuthFlowError) as no:
        facts = WireFacts("sent", detail=type(no).__name__)
        raise ServiceError("unreachable", f"{where} cannot be reached to sign in: {no}", facts=facts) from no
    finally:
        await transport.aclose()
    return response


def ended(server: str, why: object) -> ServiceError:
    """The words for a grant that is over."""
    return ServiceError("sign_in", f"the sign-in at {server} has ended: {why}", status=401, hint=SIGN_IN_AGAIN)
