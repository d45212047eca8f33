"""Where a `tools/call` arrives: rate limit, arguments, tool, refusals, and the answer on the wire.

Anything that a tool does not expect becomes a tool result too: the service does not crash at its clients.
"""

from __future__ import annotations

import inspect
import logging
from typing import Any

from zenflow.sandbox.faults import NOTHING, TriggeredFaults
from zenflow.sandbox.refusals import Refusal
from zenflow.sandbox.service.answers import Answer, as_refusal, as_result
from zenflow.sandbox.service.arguments import check
from zenflow.sandbox.service.faulty_answers import refusal_asked, spoiled
from zenflow.sandbox.service.registry import McpTool, tools_offered
from zenflow.sandbox.service.request_context import RequestContext, Services

_log = logging.getLogger(__name__)


class Dispatcher:
    """Answers tool calls of one site."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.tools = tools_offered(services.settings.helpers, services.settings.absent)
        self._allowance = _Allowance(services.settings.requests_per_second)

    async def answer(self, name: str, given: dict[str, Any], faults: TriggeredFaults = NOTHING) -> dict[str, Any]:
        """The result of one call of a tool that is offered."""
        tool = self.tools[name]
        try:
            if not self._allowance.has_room(self._services.clock.now_s()):
                raise Refusal(429, "too many requests in a short window. Back off and retry after a few seconds.")
            if asked := refusal_asked(faults, "before"):
                raise asked
            args = check(tool.checker, given, name)
            answer = await self._performed(tool, args, faults)
            if asked := refusal_asked(faults, "after"):
                raise asked
        except Refusal as refusal:
            return as_refusal(refusal)
        except Exception:
            _log.exception("the sandbox failed at %s", name)
            return as_refusal(Refusal(500, f"the sandbox failed at {name}; its log has the details."))
        if faults.rules:
            answer = spoiled(answer, faults)
        result = as_result(answer, args["response_format"])
        if faults.first("no_structured"):
            del result["structuredContent"]
        return result

    async def perform_due(self) -> None:
        """Let postponed requests take effect; their answers go nowhere."""
        for name, given in self._services.world.take_due():
            await self.answer(name, given)

    async def _performed(self, tool: McpTool, args: dict[str, Any], faults: TriggeredFaults) -> Answer:
        found = tool.handler(RequestContext(self._services, faults), args)
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
