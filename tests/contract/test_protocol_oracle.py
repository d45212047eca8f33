"""Our client beside the official SDK's: the same bytes for the same questions. Only tests know the SDK's client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import mcp_types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp.client.auth.utils import (
    build_oauth_authorization_server_metadata_discovery_urls,
    build_protected_resource_metadata_discovery_urls,
    issuers_match,
)
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared import inbound
from mcp.shared.auth_utils import check_resource_allowed
from mcp_types import jsonrpc
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.session.connection import UNSUPPORTED_VERSION
from zenflow.providers.mcp.session.failures import HEADER_MISMATCH, INVALID_PARAMS, METHOD_NOT_FOUND
from zenflow.providers.mcp.signin.oauth import covers, is_same_issuer, metadata_addresses, resource_addresses
from zenflow.providers.mcp.wire.envelope import CLIENT_INFO, MODERN_VERSIONS, OLDER_VERSIONS, Envelope
from zenflow.providers.mcp.wire.http import in_process
from zenflow.providers.mcp.wire.mirrored_headers import header_value, marked_arguments, mirrored

URL = "http://oracle.invalid/mcp"
ME = {"content": [], "structuredContent": {"id": "me"}, "resultType": "complete"}


def test_the_versions_and_codes_are_those_of_the_sdk() -> None:
    assert (OLDER_VERSIONS, MODERN_VERSIONS) == (HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS)
    assert UNSUPPORTED_VERSION == jsonrpc.UNSUPPORTED_PROTOCOL_VERSION
    assert (HEADER_MISMATCH, INVALID_PARAMS, METHOD_NOT_FOUND) == (
        jsonrpc.HEADER_MISMATCH,
        jsonrpc.INVALID_PARAMS,
        jsonrpc.METHOD_NOT_FOUND,
    )


def test_the_envelope_has_the_keys_of_the_sdk() -> None:
    message = json.loads(Envelope(MODERN_VERSIONS[-1]).message("tools/list", {}, 1))
    assert message["params"]["_meta"] == {
        mcp_types.PROTOCOL_VERSION_META_KEY: MODERN_VERSIONS[-1],
        mcp_types.CLIENT_INFO_META_KEY: CLIENT_INFO,
        mcp_types.CLIENT_CAPABILITIES_META_KEY: {},
    }


# ------------------------------------------------------------------------------------------------------ negotiation


class _Server:
    """An application that records what it is sent, and answers in one era."""

    def __init__(self, era: str) -> None:
        self.era = era
        self.got: list[tuple[str, dict[str, str], Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        message = json.loads(body) if body else {}
        self.got.append((scope["method"], headers, message))
        status, answer = self._answer(scope["method"], message)
        kept = [(b"content-type", b"application/json"), (b"mcp-session-id", b"s-1")]
        await send({"type": "http.response.start", "status": status, "headers": kept[: 1 + (self.era == "older")]})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode() if answer else b""})

    def _answer(self, method: str, message: Any) -> tuple[int, Any]:
        if method != "POST":
            return 405, None
        if "id" not in message:
            return 202, None
        if message["method"] == "server/discover" and self.era == "older":
            return 400, {"detail": "what?"}
        results = {
            "server/discover": {
                "supportedVersions": list(MODERN_VERSIONS),
                "capabilities": {"tools": {}},
                "resultType": "complete",
                "ttlMs": 0,
                "cacheScope": "public",
            },
            "initialize": {
                "protocolVersion": OLDER_VERSIONS[-1],
                "capabilities": {},
                "serverInfo": {"name": "x", "version": "1"},
            },
        }
        return 200, {"jsonrpc": "2.0", "id": message["id"], "result": results.get(message["method"], ME)}


async def _ours(server: _Server) -> None:
    async with McpProvider(URL, http=in_process(server)) as provider:
        await provider.account()


async def _theirs(server: _Server) -> None:
    info = mcp_types.Implementation(**CLIENT_INFO)
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(server))
    async with (
        http,
        streamable_http_client(URL, http_client=http) as (read, write),
        ClientSession(read, write, client_info=info) as session,
    ):
        if server.era == "older":
            with pytest.raises(Exception, match=r".*"):
                await session.discover()
            await session.initialize()
        else:
            await session.discover()


OF_THE_LIBRARY = ("host", "connection", "content-length", "accept-encoding", "user-agent")


@pytest.mark.parametrize("era", ["modern", "older"])
def test_the_negotiation_is_the_one_of_the_sdk(era: str) -> None:
    ours, theirs = _Server(era), _Server(era)
    asyncio.run(_ours(ours))
    asyncio.run(_theirs(theirs))

    def told(server: _Server) -> list[Any]:
        asked = [one for one in server.got if one[0] == "POST" and one[2].get("method") != "tools/call"]
        return [
            (
                {k: v for k, v in headers.items() if k not in OF_THE_LIBRARY},
                {key: value for key, value in message.items() if key != "id"},
            )
            for _, headers, message in asked
        ]

    assert told(ours) == told(theirs)
    assert [m for m, _, _ in ours.got].count("DELETE") == [m for m, _, _ in theirs.got].count("DELETE")


# -------------------------------------------------------------------------------------------------- mirrored headers


@given(st.text())
@pytest.mark.slow
def test_header_values_are_written_as_the_sdk_writes_them(text: str) -> None:
    assert header_value(text) == inbound.encode_header_value(text)


_MARKS = st.sampled_from(["Tool", "tool", "X-1", "", "a b", 7, None])
_TYPES = st.sampled_from(["string", "integer", "boolean", "number", "object", ["string"], None])


def _schemas(inner: Any) -> Any:
    leaf = st.fixed_dictionaries({}, optional={"type": _TYPES, "x-mcp-header": _MARKS})
    inside = st.dictionaries(st.sampled_from("abc"), inner | leaf, max_size=3)
    listed = st.lists(inner | leaf, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={"properties": inside, "items": inner | leaf, "anyOf": listed, "$defs": inside, "type": _TYPES},
    )


SCHEMAS = st.recursive(st.just({}), _schemas, max_leaves=12)


@settings(max_examples=400)
@given(SCHEMAS, st.dictionaries(st.sampled_from("abc"), st.none() | st.booleans() | st.integers() | st.text()))
@pytest.mark.slow
def test_marked_arguments_are_those_that_the_sdk_finds(schema: Any, arguments: Any) -> None:
    valid = inbound.find_invalid_x_mcp_header(schema) is None
    theirs = inbound.x_mcp_header_map(schema) if valid else {}
    assert marked_arguments(schema) == theirs
    assert mirrored(theirs, arguments) == inbound.mcp_param_headers(theirs, arguments)


# ----------------------------------------------------------------------------------------------------------- sign-in

ADDRESSES = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["https", "http"]),
    st.sampled_from(["a.example", "b.example:8443", "127.0.0.1:9"]),
    st.sampled_from(["", "/", "/mcp", "/mcp/", "/tenant/one", "/tenant/one/"]),
)


@given(ADDRESSES, ADDRESSES)
def test_addresses_of_a_sign_in_are_those_of_the_sdk(one: str, other: str) -> None:
    assert list(metadata_addresses(one, other)) == build_oauth_authorization_server_metadata_discovery_urls(one, other)
    assert list(metadata_addresses(None, other)) == build_oauth_authorization_server_metadata_discovery_urls(
        None, other
    )
    assert list(resource_addresses(None, other)) == build_protected_resource_metadata_discovery_urls(None, other)
    assert resource_addresses(one, other)[0] == one
    assert is_same_issuer(one, other) == issuers_match(one, other)
    assert covers(one, other) == check_resource_allowed(other, one)
