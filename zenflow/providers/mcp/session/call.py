"""Free questions to the service's tools: the prefix, the answer's form, a tool's no as an exception. Knows no tool."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from zenflow.errors import ZenflowError
from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.session.answers import ToolAnswer
from zenflow.providers.mcp.session.failures import error_of, no_in

_log = logging.getLogger(__name__)

PREFIX = "zencreator_"
FREE_DEADLINE_S = 60.0


class Caller(Protocol):
    """What `Session` offers the rooms' files: a tool call that answers or raises `ServiceError`."""

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, deadline_s: float = FREE_DEADLINE_S
    ) -> ToolAnswer: ...


def arguments_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is None is left out. `json` keeps the text readable for us where structured content is missing."""
    return {**{key: value for key, value in given.items() if value is not None}, "response_format": "json"}


async def ask(
    caller: Caller, tool: str, arguments: Mapping[str, Any], *, deadline_s: float = FREE_DEADLINE_S
) -> Mapping[str, Any]:
    """The structured content of `zencreator_<tool>`. Raises `ServiceError` for a no, and for no content."""
    answer = await caller.call(PREFIX + tool, arguments_of(arguments), deadline_s=deadline_s)
    return content_of(answer, tool)


def content_of(answer: ToolAnswer, tool: str) -> Mapping[str, Any]:
    no = no_in(answer)
    if no is not None:
        raise error_of(no, tool, answer.facts)
    if not answer.structured:
        excerpt = " ".join(answer.text.split())[:120]
        raise ServiceError(
            "server",
            f"{tool}: the answer holds no structured content" + (f", only the text {excerpt!r}" if excerpt else ""),
            facts=answer.facts,
        )
    return answer.structured


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn whatever a reader raises about a foreign answer into the one error for it.

    Readers are liberal and still meet answers that nobody thought of. Those are the server's, not a bug that ends the
    run: the traceback goes to the log.
    """
    try:
        yield
    except ZenflowError:
        raise
    except Exception as no:
        _log.info("an answer to %s cannot be read", what, exc_info=True)
        raise ServiceError("server", f"{what}: the answer cannot be read ({type(no).__name__})") from no


def missing(tool: str, what: str, payload: Mapping[str, Any]) -> ServiceError:
    """An answer that lacks the one field it was asked for."""
    return ServiceError("server", f"{tool}: the answer names no {what}", payload=payload)
