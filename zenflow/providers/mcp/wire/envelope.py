"""What a `tools/call` carries besides its name and arguments, in each era of the protocol.

The same form serves the calls that go through the SDK and the two that do not (submit, upload), so that a server cannot
tell them apart; `tests/wire/client` compares ours with the SDK's own, byte by byte where it matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    encode_header_value,
    find_invalid_x_mcp_header,
    mcp_param_headers,
    x_mcp_header_map,
)
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    PROTOCOL_VERSION_META_KEY,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from zenflow import __version__

CLIENT_INFO = {"name": "zenflow", "version": __version__}
USER_AGENT = f"zenflow/{__version__}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What was negotiated. `header_maps`: which arguments of which tool the server wants mirrored in headers."""

    version: str
    session_id: str | None = None
    header_maps: Mapping[str, Mapping[tuple[str, ...], str]] = field(default_factory=dict)

    @property
    def is_modern(self) -> bool:
        return self.version in MODERN_PROTOCOL_VERSIONS

    def params(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` with the `_meta` of this era."""
        if not self.is_modern:
            return dict(params)
        meta = {
            PROTOCOL_VERSION_META_KEY: self.version,
            CLIENT_INFO_META_KEY: CLIENT_INFO,
            CLIENT_CAPABILITIES_META_KEY: {},
        }
        return {**params, "_meta": {**params.get("_meta", {}), **meta}}

    def headers(self, method: str, params: Mapping[str, Any]) -> dict[str, str]:
        """The per-message headers of this era."""
        headers = {MCP_PROTOCOL_VERSION_HEADER: self.version}
        if not self.is_modern:
            return headers
        headers[MCP_METHOD_HEADER] = method
        name = params.get("name")
        if method == "tools/call" and isinstance(name, str):
            headers[MCP_NAME_HEADER] = encode_header_value(name)
            headers.update(mcp_param_headers(self.header_maps.get(name, {}), params.get("arguments") or {}))
        return headers

    def http_headers(self, method: str, params: Mapping[str, Any]) -> dict[str, str]:
        """All headers of a POST made without the SDK."""
        headers = {
            "accept": "application/json, text/event-stream",
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            **self.headers(method, params),
        }
        if self.session_id:
            headers["mcp-session-id"] = self.session_id
        return headers


def header_maps_of(tools: tuple[Mapping[str, Any], ...]) -> dict[str, Mapping[tuple[str, ...], str]]:
    """The `x-mcp-header` annotations of a tool listing; a tool with an invalid one is left out (protocol)."""
    maps: dict[str, Mapping[tuple[str, ...], str]] = {}
    for tool in tools:
        schema = tool.get("inputSchema")
        name = tool.get("name")
        if isinstance(schema, Mapping) and isinstance(name, str) and find_invalid_x_mcp_header(schema) is None:
            found = x_mcp_header_map(schema)
            if found:
                maps[name] = found
    return maps
