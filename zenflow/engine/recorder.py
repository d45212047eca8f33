"""Every fact goes the same way: into the journal, into the state, to the listeners, in that order of promise.

A fact that something paid depends on is awaited until it is durable; the others are queued in order and need no wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from zenflow.clock import Clock, as_iso
from zenflow.engine.result import Listener, Progress
from zenflow.history.events import Event, Intended
from zenflow.history.fold import apply
from zenflow.history.state import RunState
from zenflow.journal.base import Cap, Journal, JournalError, Lease


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
        self._unwatched: set[asyncio.Future[None]] = set()

    def now(self) -> str:
        return as_iso(self._clock.now())

    def record(self, *events: Event) -> None:
        """Queue facts that cost nothing to learn again; they are durable no later than the next awaited one."""
        if self.failed is not None:
            raise self.failed
        self._watch(self._append(events))
        self._take_in(events)

    async def commit(self, *events: Event) -> None:
        """Facts that must be durable before the caller goes on."""
        if self.failed is not None:
            raise self.failed
        done = self._append(events)
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

    def tell(self, snapshot: Callable[[], Progress]) -> None:
        self._listener.progress(snapshot)

    async def flush(self) -> None:
        """Return when everything that was queued is durable, or has failed."""
        if self._unwatched:
            await asyncio.wait(self._unwatched)

    def _append(self, events: tuple[Event, ...]) -> asyncio.Future[None]:
        return asyncio.ensure_future(self._journal.append(self._lease, events))

    def _take_in(self, events: tuple[Event, ...]) -> None:
        for event in events:
            apply(self.state, event)
            self._listener.event(event)

    def _watch(self, done: asyncio.Future[None]) -> None:
        self._unwatched.add(done)
        done.add_done_callback(self._seen)

    def _seen(self, done: asyncio.Future[None]) -> None:
        self._unwatched.discard(done)
        error = None if done.cancelled() else done.exception()
        if isinstance(error, JournalError):
            self._fail(error)
        elif error is not None:
            self._fail(JournalError("ZF801", f"The journal could not be written: {error}"))

    def _fail(self, error: JournalError) -> None:
        if self.failed is None:
            self.failed = error
            self.on_failure()
