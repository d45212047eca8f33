"""What a tool has at hand: the world, the clock, the drawing room, signed URLs, and the mishaps of this one request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from zenflow.sandbox.clock import SandboxClock
from zenflow.sandbox.faults import TriggeredFaults
from zenflow.sandbox.media.renderer import Renderer
from zenflow.sandbox.oauth import Authorization
from zenflow.sandbox.service.answers import Answer
from zenflow.sandbox.service.urls import SignedUrls
from zenflow.sandbox.settings import SandboxSettings
from zenflow.sandbox.world import World

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One sandbox, assembled by `server.build_app`."""

    settings: SandboxSettings
    world: World
    clock: SandboxClock
    renderer: Renderer
    urls: SignedUrls
    base_url: str
    authorization: Authorization | None = None  # None: no sign-in of our own
    descriptions: dict[str, str] = field(default_factory=dict)  # by asset id, in process, as the service caches


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One call of one tool."""

    services: Services
    faults: TriggeredFaults

    @property
    def world(self) -> World:
        return self.services.world


Handler = Callable[[RequestContext, Arguments], Answer | Awaitable[Answer]]
