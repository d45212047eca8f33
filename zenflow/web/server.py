"""Serve the web view on loopback until Ctrl-C; then drain what this process runs."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.errors import UsageError
from zenflow.web.app import build_app
from zenflow.web.guard import Secrets

HOST = "127.0.0.1"
NO_PORT = "ZF069"


async def serve(settings: Settings, port: int, current: Path, ready: Callable[[str], None]) -> None:
    """Serve until the process is told to stop. `ready` gets the address with the token of this start.

    Raises UsageError where nothing can listen on the port.
    """
    import uvicorn

    listener = _listen(port)
    number = listener.getsockname()[1]
    keys = Secrets()
    hosts = frozenset({f"{HOST}:{number}", f"localhost:{number}"})
    app = build_app(settings, keys, hosts, current)
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]  # it raises them again; here they end in order
    ready(f"http://{HOST}:{number}/?token={keys.url}")
    try:
        with _on_signals(server.handle_exit):
            await server.serve(sockets=[listener])
            await app.state.jobs.close()
    finally:
        listener.close()


@contextmanager
def _on_signals(end: Callable[[int, None], None]) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the server in order, while it serves and while it drains."""
    loop, taken = asyncio.get_running_loop(), []
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            loop.add_signal_handler(number, end, number, None)
            taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)  # before the address is printed
    except OSError as error:
        listener.close()
        text = f"cannot listen on {HOST}:{port}: {error.strerror or error}"
        raise UsageError(NO_PORT, text, "Take a free port: `zenflow ui --port 0`.") from error
    listener.set_inheritable(False)
    return listener
