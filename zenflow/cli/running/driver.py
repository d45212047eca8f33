"""A run with a person at it: progress while it goes, Ctrl-C once to drain and twice to leave.

Knows the engine by its listener and its stop signal only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from zenflow.app.running.run import RunCallbacks
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import signals
from zenflow.cli.terminal.console import Console
from zenflow.cli.terminal.headings import relative_path
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.terminal.units import plural
from zenflow.cli.views.progress_plain import PlainProgress
from zenflow.engine.model.ports import StopSignal
from zenflow.engine.model.report import Listener, Progress, RunReport
from zenflow.recipe.model import ACTIONS

DRAW_EVERY_S, TELL_EVERY_S = 0.2, 1.0


class ProgressListener(Listener, Protocol):
    """A listener that draws when its time comes."""

    def info(self, text: str) -> None: ...

    def current(self) -> Progress | None: ...

    def tick(self, *, last: bool = False) -> None: ...


def drive(work: Callable[[RunCallbacks], Awaitable[RunReport]], console: Console) -> RunReport:
    """Do `work` with progress and signals; its report."""
    return wait_for(_drive(work, console))


async def _drive(work: Callable[[RunCallbacks], Awaitable[RunReport]], console: Console) -> RunReport:
    listener = _listener(console)
    stop = StopSignal()
    guard = _Guard(stop, listener, console)
    stop.on_change(guard.asked)
    ticking = asyncio.create_task(_tick(listener, DRAW_EVERY_S if console.draws else TELL_EVERY_S))
    try:
        return await work(RunCallbacks(listener, stop, guard.begin))
    finally:
        ticking.cancel()
        guard.end()
        listener.tick(last=True)


def _listener(console: Console) -> ProgressListener:
    if console.draws:
        from zenflow.cli.views.progress_live import LiveProgress  # rich: 100 ms

        return LiveProgress(no_color=not console.message_style.on)
    return PlainProgress(console.info)


async def _tick(listener: ProgressListener, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        listener.tick()


class _Guard:
    """Signals, from the moment there is something to resume."""

    def __init__(self, stop: StopSignal, listener: ProgressListener, console: Console) -> None:
        self._stop = stop
        self._listener = listener
        self._console = console
        self._run_id = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._heard = False

    def begin(self, run_id: str, out_dir: Path) -> None:
        self._run_id = run_id
        self._console.info(f"run {run_id} → {relative_path(out_dir)}")
        self._loop = asyncio.get_running_loop()
        try:
            for number in signals.heeded():
                self._loop.add_signal_handler(number, self.heard)
        except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            self._loop = None

    def heard(self) -> None:
        """One signal came."""
        self._heard = True
        self._stop.request()
        if self._stop.leaving:
            self._console.error(f"Leaving at once. `zenflow resume {self._run_id}` goes on.")
            self.end()
        else:
            self._console.error("\n".join(wrap(self._stopping(), self._console.width, "  ")))

    def asked(self) -> None:
        """A stop was asked for; where no signal came, by `zenflow stop` from another terminal."""
        if not self._heard and not self._stop.leaving:
            self._console.error(f"`zenflow stop` was said. {self._stopping()}")

    def end(self) -> None:
        """Back to the usual handlers: the next Ctrl-C is the interpreter's."""
        loop, self._loop = self._loop, None
        if loop is not None:
            for number in signals.heeded():
                loop.remove_signal_handler(number)

    def _stopping(self) -> str:
        snapshot = self._listener.current()
        steps = () if snapshot is None else snapshot.steps
        running = sum(step.running for step in steps if step.uses not in ACTIONS)
        paid = f"waiting for {plural(running, 'call')} already paid" if running else "saving what is there"
        return f"Stopping: {paid} … (Ctrl-C again leaves at once; `zenflow resume {self._run_id}` goes on)"
