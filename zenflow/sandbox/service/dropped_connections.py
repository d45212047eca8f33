"""Cutting a connection in the middle, as networks do.

Over a socket the server's transport is closed under the answer. In process there is no socket: the client sees the
exception that a cut would have raised there.
"""

from __future__ import annotations

from typing import Any

import anyio
from starlette.types import Receive, Send

_PATIENCE_S = 2.0
OUTERMOST_SEND = "zenflow.sandbox.send"  # in the scope: the server's own `send`, which the web framework wraps


async def cut_connection(receive: Receive, send: Send, *, after_flush: bool) -> None:
    """End the connection without another byte; with `after_flush` what was sent still arrives."""
    # uvicorn hands out `send` bound to the request's cycle, which has the transport; ASGI knows no way to hang up.
    transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        import httpx2  # lazy: only an in-process cut needs it

        raise httpx2.RemoteProtocolError("the sandbox cut the connection (a mishap on request)")
    if after_flush:
        transport.close()
    else:
        transport.abort()
    with anyio.move_on_after(_PATIENCE_S):
        while (await receive())["type"] != "http.disconnect":
            pass
