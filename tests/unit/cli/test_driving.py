"""What a person at the terminal of a run is told when it is asked to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zenflow.app.running.run import RunCallbacks
from zenflow.cli.running.driver import drive
from zenflow.cli.terminal.console import Console


def stopped_by(act: Any) -> Any:
    async def work(callbacks: RunCallbacks) -> Any:
        callbacks.begun("20260101-000000-abcd", Path("out"))
        done = asyncio.Event()
        callbacks.stop.on_change(done.set)
        act(callbacks)
        await done.wait()
        return "ended"

    return work


def test_names_the_resume_command_after_a_stop_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert drive(stopped_by(lambda callbacks: callbacks.stop.request()), Console()) == "ended"
    said = capsys.readouterr().err
    assert "`zenflow stop` was said. Stopping: saving what is there" in said
    assert "`zenflow resume 20260101-000000-abcd` goes on" in said


@pytest.fixture
def heard() -> Iterator[None]:
    """Signals as a terminal has them: under `nohup` or in the background of a script, the test would wait for ever."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    for number in numbers:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_told_as_one(capsys: pytest.CaptureFixture[str], number: signal.Signals) -> None:
    assert drive(stopped_by(lambda callbacks: os.kill(os.getpid(), number)), Console()) == "ended"
    said = capsys.readouterr().err
    assert "Stopping: saving what is there" in said and "`zenflow stop` was said" not in said
