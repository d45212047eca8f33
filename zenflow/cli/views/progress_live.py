"""Progress drawn in place on a terminal. The only file that loads rich, and only when a run is being watched."""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from zenflow.cli.terminal.style import for_terminal
from zenflow.cli.terminal.units import span
from zenflow.cli.views.progress_plain import failure_line
from zenflow.credits import as_text, in_words
from zenflow.engine.model.report import Progress, StepProgress
from zenflow.foreign_text import visible
from zenflow.history.events import Event

STEPS_SHOWN = 20
BAR = 12
TOOL_COLUMN = 1


class LiveProgress:
    """A listener of the engine; `tick` draws anew."""

    def __init__(self, *, no_color: bool) -> None:
        self._console = Console(file=sys.stderr, no_color=no_color, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._snapshot: Callable[[], Progress] | None = None

    def event(self, event: Event) -> None:
        line = failure_line(event)
        if line is not None:
            self.info(line)

    def info(self, text: str) -> None:
        self._console.print(Text.from_ansi(for_terminal(text)), soft_wrap=True)

    def progress(self, snapshot: Callable[[], Progress]) -> None:
        if self._snapshot is None:
            self._live.start()
        self._snapshot = snapshot

    def current(self) -> Progress | None:
        return None if self._snapshot is None else self._snapshot()

    def tick(self, *, last: bool = False) -> None:
        snapshot = self.current()
        if snapshot is None:
            return
        if last:
            self._live.stop()
        else:
            self._live.update(drawing(snapshot), refresh=True)


def drawing(snapshot: Progress) -> Group:
    """The header line and one line per step."""
    shown, hidden = _worth_showing(snapshot.steps)
    table = Table.grid(padding=(0, 2))
    for place in range(5):  # the tool's column alone may shrink: rich takes from those that may wrap first
        table.add_column(justify="right" if place in (2, 4) else "left", no_wrap=place != TOOL_COLUMN)
    for step in shown:
        table.add_row(*_row(step))
    rest = [Text(f"  … {hidden} more steps", style="dim")] if hidden else []
    status_text = [Text(visible(f"  {snapshot.status_text}"), style="yellow")] if snapshot.status_text else []
    return Group(_header(snapshot), table, *rest, *status_text)


def _header(snapshot: Progress) -> Text:
    reserved = f" + {as_text(snapshot.reserved)} reserved" if snapshot.reserved else ""
    rest = f" · about {span(snapshot.expected_rest_s)} left" if snapshot.expected_rest_s is not None else ""
    phase = {"running": "", "draining": "stopping · ", "ending": "ending · "}[snapshot.phase]
    money = f"{as_text(snapshot.charged)}{reserved} of {in_words(snapshot.budget)}"
    return Text(f"{phase}{money} · {span(snapshot.elapsed_s)}{rest}", style="bold")


def _worth_showing(steps: tuple[StepProgress, ...]) -> tuple[list[StepProgress], int]:
    """All, or those that move first when there are too many."""
    if len(steps) <= STEPS_SHOWN:
        return list(steps), 0
    moving = [step for step in steps if step.running or step.failed]
    others = [step for step in steps if not (step.running or step.failed)]
    chosen = {id(step) for step in [*moving, *others][:STEPS_SHOWN]}
    return [step for step in steps if id(step) in chosen], len(steps) - STEPS_SHOWN


def _row(step: StepProgress) -> list[Text]:
    expected = max(step.expected, step.done + step.failed + step.skipped, 1)
    settled = step.done + step.failed + step.skipped
    filled = round(BAR * settled / expected)
    words = [(step.running, "running", "cyan"), (step.waiting, "waiting", "dim"), (step.failed, "failed", "bold red")]
    state = Text(", ").join(Text(f"{number} {word}", style=style) for number, word, style in words if number)
    tool = visible(step.uses + (f" · {step.model}" if step.model else ""))
    bar = Text.assemble(("━" * filled, "red" if step.failed else "green"), ("╌" * (BAR - filled), "dim"))
    money = f"{as_text(step.credits)} cr" if step.credits else ""
    count = Text(f"{step.done}/{expected}")
    named = Text(tool, style="dim", no_wrap=True, overflow="ellipsis")
    return [Text(visible(f"  {step.path}")), named, count, Text.assemble(bar, "  ", state), Text(money)]
