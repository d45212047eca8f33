"""The token on a request: put there last, for its own host alone, and never in the clear beyond this machine.

Every request that carries a token passes through here. No error repeats the token, nor the words of a library that
might quote it.
"""

from __future__ import annotations

import httpx2

from zenflow.errors import UsageError
from zenflow.providers.mcp.tokens.source import TokenSource
from zenflow.providers.mcp.wire.http import stays_secret


async def authorize(request: httpx2.Request, tokens: TokenSource) -> None:
    """Put the token on a request. Raise what the source raises, and `UsageError` where the token must not go."""
    token = await tokens.token()
    if not token:
        return
    host = request.url.host
    if tokens.host is not None and tokens.host not in (host, f"{host}:{_port(request.url)}"):
        raise UsageError(
            "ZF716",
            f"the token is for {tokens.host}, and the server is {host}",
            "Check `--server` and ZENFLOW_TOKEN_HOST, or sign in there with `zenflow login`.",
        )
    if not stays_secret(str(request.url)):
        raise UsageError(
            "ZF715",
            f"insecure server address: a token would travel in the clear to {request.url.scheme}://{host}",
            "Use the https:// address of the server, or unset ZENFLOW_TOKEN.",
        )
    request.headers["authorization"] = f"Bearer {token}"


def _port(url: httpx2.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
