"""Where a `tools/call` arrives: rate limit, arguments, tool, refusals, and the answer on the wire.

Anything that a tool does not expect becomes a tool result too: the service does not crash at its clients.
"""

from __future__ import annotations

import inspect
import logging
from typing import Any

from zenflow.sandbox.faults import NOTHING, Drawn
from zenflow.sandbox.refusals import Refusal
from zenflow.sandbox.service.answers import Answer, as_refusal, as_result
from zenflow.sandbox.service.arguments import check
from zenflow.sandbox.service.faulty_answers import refusal_asked, spoiled
from zenflow.sandbox.service.registry import McpTool, tools_offered
from zenflow.sandbox.service.request_context import Site, Visit

_log = logging.getLogger(__name__)


class Reception:
    """Answers tool calls of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.tools = tools_offered(site.settings.helpers, site.settings.absent)
        self._allowance = _Allowance(site.settings.requests_per_second)

    async def answer(self, name: str, given: dict[str, Any], mishaps: Drawn = NOTHING) -> dict[str, Any]:
        """The result of one call of a tool that is offered."""
        tool = self.tools[name]
        try:
            if not self._allowance.has_room(self._site.clock.now_s()):
                raise Refusal(429, "too many requests in a short window. Back off and retry after a few seconds.")
            if asked := refusal_asked(mishaps, "before"):
                raise asked
            args = check(tool.checker, given, name)
            answer = await self._performed(tool, args, mishaps)
            if asked := refusal_asked(mishaps, "after"):
                raise asked
        except Refusal as refusal:
            return as_refusal(refusal)
        except Exception:
            _log.exception("the sandbox failed at %s", name)
            return as_refusal(Refusal(500, f"the sandbox failed at {name}; its log has the details."))
        if mishaps.rules:
            answer = spoiled(answer, mishaps)
        result = as_result(answer, args["response_format"])
        if mishaps.first("no_structured"):
            del result["structuredContent"]
        return result

    async def perform_due(self) -> None:
        """Let postponed requests take effect; their answers go nowhere."""
        for name, given in self._site.world.take_due():
            await self.answer(name, given)

    async def _performed(self, tool: McpTool, args: dict[str, Any], mishaps: Drawn) -> Answer:
        found = tool.handler(Visit(self._site, mishaps), args)
        return await found if inspect.isawaitable(found) else found


class _Allowance:
    """A bucket that holds one second's worth of requests."""

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._room = max(1.0, per_second or 1.0)
        self._at_s: float | None = None

    def has_room(self, now_s: float) -> bool:
        if self._per_second is None:
            return True
        passed_s = 0.0 if self._at_s is None else max(0.0, now_s - self._at_s)
        self._at_s = now_s
        self._room = min(max(1.0, self._per_second), self._room + passed_s * self._per_second)
        if self._room < 1:
            return False
        self._room -= 1
        return True
