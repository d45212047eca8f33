"""Which assets a finished call made: as the service extracted them, else found in its output. Raises what asking raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.catalog.outputs import media_of
from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.history.state import SubmissionState
from zenflow.ids import uuids_in
from zenflow.providers.base import CallResult, ServiceError


async def assets_made(
    context: Context, submission: SubmissionState, position: int, result: CallResult
) -> tuple[str, ...] | None:
    """As extracted; else the UUIDs in the output that are assets and not what went in; () where a text is the result
    itself; None where nothing is found. Raises ServiceError where that cannot be found out now.
    """
    return await assets_in(context, submission.tool, submission.calls[position].call.params, result)


async def assets_in(context: Context, tool_name: str, asked: Any, result: CallResult) -> tuple[str, ...] | None:
    """The same of a result of `tool_name` to what was `asked`, whoever asked it."""
    if result.asset_ids:
        return result.asset_ids
    went_in = {one.lower() for one in uuids_in(asked)}
    found = [one for one in uuids_in(result.output) if one.lower() not in went_in and await _is_asset(context, one)]
    if found:
        return tuple(found)
    tool = context.catalog.tools.get(tool_name)
    is_text = tool is not None and media_of(tool) == "text"
    return () if _has_text(result.output) and (is_text or not _is_media(tool)) else None


async def _is_asset(context: Context, candidate: str) -> bool:
    try:
        await context.service.ask(Kind.RESULT, lambda: context.service.provider.asset(candidate))
    except ServiceError as error:
        if error.trouble in ("not_found", "forbidden", "invalid"):
            return False  # a UUID of something else
        if error.trouble == "absent":
            return True  # a server without that tool: what its output names is all there is
        raise
    return True


def _is_media(tool: Any) -> bool:
    return tool is not None and media_of(tool) in ("image", "video", "audio")


def _has_text(output: Any) -> bool:
    if isinstance(output, str):
        return bool(output.strip())
    if isinstance(output, Mapping):
        return any(_has_text(value) for value in output.values())
    return isinstance(output, list) and any(_has_text(value) for value in output)
