"""The JSON-RPC messages that zenflow sends, with their headers, in each era of the protocol.

One form serves every call, free or paid, so that a server cannot tell them apart. The constants are those of the
specification; `tests/contract` compares them, and the messages, with the official SDK.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zenflow import __version__
from zenflow.providers.mcp.wire.mirrored_headers import HeaderMap, header_value, mirrored

MODERN_VERSIONS = ("2026-07-28",)
"""Revisions in which each request carries its own envelope and no session exists, oldest first."""

OLDER_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Revisions that begin with `initialize`, oldest first."""

SESSION_HEADER = "mcp-session-id"
VERSION_HEADER = "mcp-protocol-version"
_METHOD_HEADER = "mcp-method"
_NAME_HEADER = "mcp-name"
_META = "io.modelcontextprotocol/"

CLIENT_INFO = {"name": "zenflow", "version": __version__}
USER_AGENT = f"zenflow/{__version__}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What was negotiated. `header_maps`: which arguments of which tool the server wants mirrored in headers."""

    version: str
    session_id: str | None = None
    header_maps: Mapping[str, HeaderMap] = field(default_factory=dict)

    @property
    def is_modern(self) -> bool:
        return self.version in MODERN_VERSIONS

    def message(self, method: str, params: Mapping[str, Any], request_id: int) -> bytes:
        """Return the JSON text of a request. Raise `UnicodeEncodeError` where a text holds half a character."""
        return _text_of({"jsonrpc": "2.0", "id": request_id, "method": method, "params": self._params(params)})

    def headers(self, method: str, params: Mapping[str, Any]) -> dict[str, str]:
        """Return all headers of a POST but the token's."""
        headers = {
            "accept": "application/json, text/event-stream",
            "content-type": "application/json",
            "user-agent": USER_AGENT,
        }
        if self.version:  # none yet while `initialize` asks for one
            headers[VERSION_HEADER] = self.version
        if self.session_id:
            headers[SESSION_HEADER] = self.session_id
        if self.is_modern:
            headers[_METHOD_HEADER] = method
            name = params.get("name")
            if method == "tools/call" and isinstance(name, str):
                headers[_NAME_HEADER] = header_value(name)
                headers |= mirrored(self.header_maps.get(name, {}), params.get("arguments") or {})
        return headers

    def _params(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self.is_modern:
            return params
        meta = {
            f"{_META}protocolVersion": self.version,
            f"{_META}clientInfo": CLIENT_INFO,
            f"{_META}clientCapabilities": {},
        }
        return {**params, "_meta": {**params.get("_meta", {}), **meta}}


def notification(method: str) -> bytes:
    """Return the JSON text of a message that wants no answer."""
    return _text_of({"jsonrpc": "2.0", "method": method})


def _text_of(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
