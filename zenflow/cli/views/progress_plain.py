"""Progress as lines, for a log: a step's line when its numbers changed, at most every few seconds; failures at once.

Hears the engine through the listener's door; draws nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from zenflow.cli.terminal.units import span
from zenflow.credits import in_words
from zenflow.engine.model.report import Progress, StepProgress
from zenflow.history.events import CallFailed, Event, InstanceFailed, Noted, WentLate

QUIET_S = 5.0  # between two lines of one step


@dataclass(slots=True)
class _Said:
    line: tuple[int, ...] = ()
    at_s: float = -QUIET_S
    finished: bool = False


@dataclass(slots=True)
class PlainProgress:
    """A listener of the engine; `tick` is called now and then by whoever owns the clock."""

    info: Callable[[str], None]
    _snapshot: Callable[[], Progress] | None = None
    _said: dict[str, _Said] = field(default_factory=dict)
    _talk: str = ""

    def event(self, event: Event) -> None:
        line = failure_line(event)
        if line is not None:
            self.info(line)

    def progress(self, snapshot: Callable[[], Progress]) -> None:
        self._snapshot = snapshot

    def current(self) -> Progress | None:
        return None if self._snapshot is None else self._snapshot()

    def tick(self, *, last: bool = False) -> None:
        """Say what changed since the last time."""
        snapshot = self.current()
        if snapshot is None:
            return
        for step in snapshot.steps:
            self._tell(step, snapshot.elapsed_s, last)
        if snapshot.status_text and snapshot.status_text != self._talk:
            self.info(snapshot.status_text)
        self._talk = snapshot.status_text

    def _tell(self, step: StepProgress, now_s: float, last: bool) -> None:
        said = self._said.setdefault(step.path, _Said())
        numbers = (step.running, step.done, step.failed, step.skipped)
        if not any(numbers) or numbers == said.line:
            return
        over = step.done + step.failed + step.skipped >= step.expected and not step.running and not step.waiting
        if not (over or last) and now_s - said.at_s < QUIET_S:
            return
        said.line, said.at_s, said.finished = numbers, now_s, over
        self.info(f"{span(now_s):>10}  {step_line(step)}")


def step_line(step: StepProgress) -> str:
    """`generate: 3 of 8 done, 5 running, 12 credits`."""
    parts = [f"{step.done} of {max(step.expected, step.done)} done"]
    for number, word in ((step.running, "running"), (step.failed, "failed"), (step.skipped, "skipped")):
        if number:
            parts.append(f"{number} {word}")
    if step.credits:
        parts.append(f"{in_words(step.credits)}")
    return f"{step.path}: {', '.join(parts)}"


def failure_line(event: Event) -> str | None:
    """What a person wants to hear of at once."""
    if isinstance(event, InstanceFailed):
        return f"    failed  {event.instance}: {event.message} [{event.code}]"  # the report says what to do about it
    if isinstance(event, CallFailed):
        return f"   refused  call {event.call_id}: {event.message}"
    if isinstance(event, WentLate):
        return f"      late  {event.instance}: still running at the service; a resume picks it up"
    if isinstance(event, Noted):
        return f"      note  {event.message} [{event.code}]"
    return None
