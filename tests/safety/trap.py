"""A server that only writes down what it is asked: whoever asks it has already said too much."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Trap:
    url: str = ""
    seen: list[tuple[str, str | None]] = field(default_factory=list)  # path, Authorization

    @property
    def tokens(self) -> set[str | None]:
        return {token for _, token in self.seen}


@contextmanager
def trap() -> Iterator[Trap]:
    """It listens on loopback and answers 404 to everything."""
    found = Trap()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            found.seen.append((self.path, self.headers.get("Authorization")))
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}/mcp"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
