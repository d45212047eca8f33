"""Two cheaper ways to wait than a full look (docs/service.md, “Generation”): one question for all slow tools, and a
blocking wait.

`get_processing_tasks` when everything watched is slow and single: while its tools are at work nothing can have ended. It
speaks of the whole account, so every few rounds a full look is made all the same. `wait_for_task` when one quick task is
all there is, never for video; refused once, it is not asked for again. Neither decides what became of a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from zenflow.catalog.model import Catalog
from zenflow.catalog.outputs import media_of
from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.history.state import SubmissionState
from zenflow.providers.base import ServiceError

FULL_LOOK_EVERY = 4  # rounds: another client may keep a tool at work for ever
WAIT_S = 5  # the shortest that the service takes: a run must hear of other things too


class PollShortcuts:
    """ExpectedCount before each round."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._skipped = 0
        self._refused = False  # a blocking wait

    async def nothing_moved(self, watched: Sequence[SubmissionState]) -> bool:
        """True when this round's look can be left out."""
        context = self._context
        if not watched or not all(_is_slow(one, context.catalog) and _is_single(one) for one in watched):
            self._skipped = 0
            return False
        if self._skipped + 1 >= FULL_LOOK_EVERY:
            self._skipped = 0
            return False
        await context.service.limiter.acquire(Kind.POLL)
        try:
            working = await context.service.provider.processing_tools()
        except ServiceError:
            return False  # the full look asks with patience
        if not all(working.get(one.tool, False) for one in watched):
            self._skipped = 0
            return False
        self._skipped += 1
        return True

    async def wait(self, watched: Sequence[SubmissionState]) -> None:
        """Block until the one quick task has ended, where that is all there is; else return at once.

        Anything that happens meanwhile, a stop above all, ends the wait: it is free, and giving it up writes nothing.
        """
        context = self._context
        task_id = self._to_wait_for(watched)
        if task_id is None:
            return
        await context.service.limiter.acquire(Kind.POLL)
        waiting = asyncio.ensure_future(context.service.provider.wait_for_task(task_id, WAIT_S))
        waker = asyncio.ensure_future(context.wake.wait())
        try:
            await asyncio.wait({waiting, waker}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done() and isinstance(waiting.exception(), ServiceError):
                # “under heavy load the server may refuse” (docs/service.md, “Generation”): polling goes on
                self._refused = True
            elif waiting.done():
                waiting.result()
        finally:
            waking = (waiting, waker)
            for one in waking:
                one.cancel()
            await asyncio.gather(*waking, return_exceptions=True)

    def _to_wait_for(self, watched: Sequence[SubmissionState]) -> str | None:
        if self._refused or len(watched) != 1 or not _is_single(watched[0]) or self._context.stop.draining:
            return None
        tool = self._context.catalog.tools.get(watched[0].tool)
        return watched[0].task_id if tool is not None and media_of(tool) == "image" else None


def _is_slow(submission: SubmissionState, catalog: Catalog) -> bool:
    """A tool of the group that the page calls too slow for waiting (docs/service.md, “Troubleshooting”)."""
    tool = catalog.tools.get(submission.tool)
    return tool is not None and media_of(tool) == "video"


def _is_single(submission: SubmissionState) -> bool:
    """One call and no more: with several, some may have ended while the tool is at work."""
    return submission.is_bound and len(submission.calls) == 1
