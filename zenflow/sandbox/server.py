"""The sandbox as a web application: MCP over Streamable HTTP at /mcp, signed files, /healthz, and /admin for tests.

Both protocol eras are served: the current one, where every request stands alone, and the older one with `initialize`.
It is built from settings and holds no global state; run it in process through an ASGI transport, or with `serve`.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from zenflow.clock import Clock
from zenflow.sandbox.clock import SandboxClock
from zenflow.sandbox.faults import Faults, rules_in
from zenflow.sandbox.media.renderer import Renderer
from zenflow.sandbox.service.admin import admin_routes
from zenflow.sandbox.service.dispatch import Dispatcher
from zenflow.sandbox.service.files import Files
from zenflow.sandbox.service.middleware import MAX_BODY, Middleware, faults_of
from zenflow.sandbox.service.oauth_pages import oauth_routes
from zenflow.sandbox.service.request_context import Services
from zenflow.sandbox.service.urls import SignedUrls
from zenflow.sandbox.settings import SandboxSettings
from zenflow.sandbox.store import Store
from zenflow.sandbox.world import World

_INSTRUCTIONS = (
    "The zenflow sandbox: a stand-in for the ZenCreator MCP service. Pictures are drawn, no credits are real. "
    "Price with zencreator_estimate_price, submit with zencreator_create_task, poll at least 2 s apart."
)
_SHUTDOWN_S = 2


class SandboxApp(Starlette):
    """Starlette with the door in front of everything, its error pages included."""

    def __init__(self, services: Services, routes: list[BaseRoute], lifespan: Any) -> None:
        super().__init__(routes=routes, lifespan=lifespan)
        self.services = services
        self.middleware: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        if self.middleware is None:
            await super().__call__(scope, receive, send)
        else:
            await self.middleware(scope, receive, send)


def build_app(
    settings: SandboxSettings, *, base_url: str = "http://sandbox.invalid", clock: Clock | None = None
) -> Starlette:
    """The application; whoever uses it in process runs its lifespan. `base_url` is what signed URLs begin with."""
    services = _services(settings, base_url, clock)
    faults = Faults(rules_in(settings.faults) if settings.faults else (), settings.seed)
    dispatcher = Dispatcher(services)
    sessions = StreamableHTTPSessionManager(_mcp_server(dispatcher), json_response=True, max_request_body_size=MAX_BODY)

    async def healthz(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "service": "zenflow sandbox"})

    files = Files(services, faults)
    routes: list[BaseRoute] = [
        Route("/mcp", _Endpoint(sessions.handle_request)),
        Route("/files/{asset_id}/{rendition}", files, methods=["GET", "HEAD"]),
        Route("/healthz", healthz, methods=["GET"]),
    ]
    if services.authorization is not None:
        routes += oauth_routes(services.authorization, base_url, faults)
    open_admin = settings.admin or settings.faults is not None
    if open_admin:
        routes += admin_routes(services, faults, lambda: middleware.arrived + files.arrived)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with sessions.run():
            try:
                yield
            finally:
                services.world.close()

    app = SandboxApp(services, routes, lifespan)
    middleware = Middleware(super(SandboxApp, app).__call__, services, dispatcher, faults, watching=open_admin)
    app.middleware = middleware
    return app


async def serve(
    settings: SandboxSettings, *, host: str = "127.0.0.1", port: int = 0, on_ready: Callable[[str], None]
) -> None:
    """Serve until cancelled or told to stop; `on_ready` gets the address of the MCP endpoint once it answers."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named so that asyncio turns Nagle off: without it each small answer waits 40 ms for an acknowledgement.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        shown = f"[{host}]" if ":" in host else host
        base_url = f"http://{shown}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            build_app(settings, base_url=base_url),
            http="h11",  # `dropped_connections` knows its transport
            ws="none",
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=_SHUTDOWN_S,
        )
        await _until_cancelled(_Announcing(config, lambda: on_ready(f"{base_url}/mcp")), listener)


async def _until_cancelled(server: uvicorn.Server, listener: socket.socket) -> None:
    """Run the server; a cancellation asks it to finish instead of tearing it apart."""
    finished = anyio.Event()

    async def run() -> None:
        with anyio.CancelScope(shield=True):
            await server.serve(sockets=[listener])
        finished.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        try:
            await finished.wait()
        finally:
            server.should_exit = True


class _Announcing(uvicorn.Server):
    """Says when it has started to listen."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


class _Endpoint:
    """An ASGI application as a route; a bare function would be taken for a request handler."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _services(settings: SandboxSettings, base_url: str, source: Clock | None) -> Services:
    store = Store(settings.state_dir)
    clock = SandboxClock(source, store.last_moment_s())
    world = World(settings, store, clock.now_s)
    urls = SignedUrls(base_url, world.secret, settings.url_lifetime_s, clock.now_s)
    renderer = Renderer(world.drawn_from, world.uploaded_bytes)
    authorization = world.authorization(f"{base_url}/mcp") if settings.oauth else None
    return Services(
        settings=settings,
        world=world,
        clock=clock,
        renderer=renderer,
        urls=urls,
        base_url=base_url,
        authorization=authorization,
    )


def _mcp_server(dispatcher: Dispatcher) -> Server[dict[str, Any]]:
    listed = types.ListToolsResult.model_validate({"tools": [tool.as_wire() for tool in dispatcher.tools.values()]})
    schemas = {name: tool.input_schema for name, tool in dispatcher.tools.items()}

    async def list_tools(ctx: Any, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return listed

    async def call_tool(ctx: Any, params: types.CallToolRequestParams) -> Any:
        if params.name not in dispatcher.tools:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name}")
        return await dispatcher.answer(params.name, params.arguments or {}, faults_of(ctx.request))

    return Server(
        "zencreator-sandbox",
        version="1",
        instructions=_INSTRUCTIONS,
        get_tool_input_schema=schemas.get,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
