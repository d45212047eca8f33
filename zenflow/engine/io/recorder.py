"""Every fact goes the same way: into the journal, into the state, to the listeners, in that order of promise.

A fact that something paid depends on is awaited until it is durable; the others are queued in order and need no wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from zenflow.clock import Clock, as_iso
from zenflow.engine.model.report import Listener, Progress
from zenflow.history.codec import encode
from zenflow.history.events import Event, Intended
from zenflow.history.fold import apply
from zenflow.history.state import RunState
from zenflow.journal.base import Cap, Journal, JournalError, Lease

_log = logging.getLogger(__name__)


class Recorder:
    """Holds the state of one run while it goes. `failed` is set by the first append that could not be made durable."""

    def __init__(self, journal: Journal, lease: Lease, state: RunState, listener: Listener, clock: Clock) -> None:
        self.state = state
        self.failed: JournalError | None = None
        self.on_failure: Callable[[], None] = lambda: None
        self._journal = journal
        self._lease = lease
        self._listener = listener
        self._clock = clock
        self._newest: Awaitable[None] | None = None  # of what is queued and that nobody awaits
        self._watching: asyncio.Task[None] | None = None

    def now(self) -> str:
        return as_iso(self._clock.now())

    def record(self, *events: Event) -> None:
        """Queue facts that cost nothing to learn again; they are durable no later than the next awaited one."""
        if self.failed is not None:
            raise self.failed
        self._newest = self._journal.append(self._lease, events)
        self._take_in(events)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())

    async def commit(self, *events: Event) -> None:
        """Facts that must be durable before the caller goes on. Where the journal has failed they are known to this
        process all the same: a task that was accepted is said aloud at the end."""
        if self.failed is not None:
            self._take_in(events)
            raise self.failed
        done = self._journal.append(self._lease, events)
        self._take_in(events)
        try:
            await done
        except JournalError as error:
            self._fail(error)
            raise

    async def reserve_and_intend(self, event: Intended, cap: Cap | None) -> None:
        """Set aside and intend in one commit. Raises CapReached when a cap over several runs leaves no room."""
        if self.failed is not None:
            raise self.failed
        try:
            await self._journal.reserve_and_intend(self._lease, event, cap)
        except JournalError as error:
            self._fail(error)
            raise
        self._take_in((event,))

    def notify(self, snapshot: Callable[[], Progress]) -> None:
        self._listener.progress(snapshot)

    async def flush(self) -> None:
        """Return when everything that was queued is durable, or has failed."""
        if self._watching is not None:
            await asyncio.wait({self._watching})

    def _take_in(self, events: tuple[Event, ...]) -> None:
        logs = _log.isEnabledFor(logging.DEBUG)
        for event in events:
            if logs:
                about = {"run_id": self._lease.run_id, "submission": getattr(event, "submission", None)}
                _log.debug("event %s", encode(event), extra=about)
            apply(self.state, event)
            self._listener.event(event)

    async def _watch(self) -> None:
        """Await the newest of what is queued, until there is none: facts are durable in the order of the appends, and what
        fails at one fails at all that follow. A task for each fact cost more than the fact."""
        while self._newest is not None:
            newest, self._newest = self._newest, None
            try:
                await newest
            except JournalError as error:
                self._fail(error)
            except Exception as error:
                self._fail(JournalError("ZF801", f"The journal could not be written: {error}"))

    def _fail(self, error: JournalError) -> None:
        if self.failed is None:
            self.failed = error
            _log.info("cannot write the journal: %s", error, extra={"run_id": self._lease.run_id})
            self.on_failure()
