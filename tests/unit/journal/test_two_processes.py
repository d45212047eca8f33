"""Real processes on one journal."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.contracts.journal import AT, started
from zenflow.clock import SystemClock
from zenflow.history import events as e
from zenflow.journal.base import RunBusy
from zenflow.journal.sqlite import open_journal

WRITER = """
import asyncio, sys
from pathlib import Path
from zenflow.clock import SystemClock
from zenflow.history import events as e
from zenflow.journal.sqlite import open_journal
from tests.support.contracts.journal import AT, started

async def main(folder, run_id, count):
    journal = open_journal(Path(folder), clock=SystemClock())
    lease = journal.take_lease(run_id)
    await journal.append(lease, [started(run_id)])
    print("ready", flush=True)
    number = 0
    while number < count or count < 0:
        await journal.append(lease, [e.Noted(AT, "n", str(number))])
        print(number, flush=True)
        number += 1
    journal.release_lease(lease)
    await journal.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def writer(folder: Path, run_id: str, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(folder), run_id, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_shares_one_journal_among_three_processes(tmp_path: Path) -> None:
    writers = [writer(tmp_path / ".zenflow", f"run-{number}", 150) for number in range(3)]
    for one in writers:
        _, errors = one.communicate(timeout=600)
        assert (one.returncode, errors) == (0, "")
    journal = open_journal(tmp_path / ".zenflow", clock=SystemClock(), read_only=True)
    for number in range(3):
        told = [event.message for event in journal.events(f"run-{number}") if isinstance(event, e.Noted)]
        assert told == [str(count) for count in range(150)]
    journal.close_now()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_keeps_what_a_killed_process_was_told(tmp_path: Path) -> None:
    one = writer(tmp_path, "run-a", -1)
    assert one.stdout is not None
    lines = [one.stdout.readline() for _ in range(40)]
    busy = open_journal(tmp_path, clock=SystemClock())
    with pytest.raises(RunBusy, match=str(one.pid)):
        busy.take_lease("run-a")
    one.send_signal(signal.SIGKILL)
    lines += one.stdout.readlines()
    one.communicate()
    confirmed = int(lines[-1] if lines[-1].endswith("\n") else lines[-2])
    assert not busy.runs()[0].holder_alive
    lease = busy.take_lease("run-a")
    told = [event.message for event in busy.events("run-a") if isinstance(event, e.Noted)]
    assert told[: confirmed + 1] == [str(number) for number in range(confirmed + 1)]
    assert len(told) <= confirmed + 2
    asyncio.run(_go_on(busy, lease))


async def _go_on(journal, lease) -> None:  # type: ignore[no-untyped-def]
    await journal.append(lease, [e.RunResumed(AT, "me")])
    assert journal.events("run-a")[0] == started("run-a")
    await journal.close()
