"""Who works on a run: this process by host, number and start, and whether such a process still lives.

A number alone proves nothing, numbers are used again: the start time goes with it, and with that the machine's boot.
It knows nothing of tables; the rule `may_take` is what both journals ask.
"""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Callable
from pathlib import Path

from zenflow.host.programs import find_program
from zenflow.journal.base import Holder, LeaseLost, RunBusy

IsAlive = Callable[[Holder], bool]


def this_process() -> Holder:
    """Not cached: a forked child is another process."""
    return Holder(this_host(), os.getpid(), process_start(os.getpid()) or "?")


@functools.cache
def this_host() -> str:
    return socket.gethostname() or "localhost"


def is_alive(holder: Holder) -> bool:
    """Whether that process is known to run, or cannot be seen from here (another machine)."""
    if holder.host != this_host():
        return True
    started = process_start(holder.pid)
    return started is not None and started == holder.started


def process_start(pid: int) -> str | None:
    """A text that two processes with one number do not share; None when there is no such process."""
    if Path("/proc/self/stat").exists():
        return _start_from_proc(pid)
    return _start_on_windows(pid) if os.name == "nt" else _start_from_ps(pid)


def busy(run_id: str, holder: Holder, here: str) -> RunBusy:
    elsewhere = holder.host != here
    return RunBusy(
        "ZF808",
        f"Run {run_id} is being worked on by {holder}",
        (
            f"If that machine will not go on with it (this journal was copied or restored): {take_over_of(run_id)}."
            if elsewhere
            else f"Wait for it, or stop it with `zenflow stop {run_id}`."
        ),
        holder=str(holder),
        run_id=run_id,
    )


def take_over_of(run_id: str) -> str:
    """The command by which a person answers for it."""
    return f"`zenflow resume {run_id} --take-over`"


def lost(run_id: str, holder: Holder | None) -> LeaseLost:
    by = f" by {holder}" if holder is not None else ""
    return LeaseLost(
        "ZF809",
        f"Run {run_id} was taken over{by}; this process writes nothing more",
        f"Follow it with `zenflow show {run_id}`.",
        run_id=run_id,
    )


def may_take(run_id: str, held_by: Holder | None, me: Holder, take_over: bool, alive: IsAlive) -> None:
    """Raises RunBusy. On this machine the dead are recognised and the living are never robbed; of another machine
    nothing can be known, and the person who says `--take-over` answers for it."""
    if held_by is None:
        return
    if held_by.host != me.host:
        if not take_over:
            raise busy(run_id, held_by, me.host)
    elif alive(held_by):
        raise busy(run_id, held_by, me.host)


def _start_from_proc(pid: int) -> str | None:
    """Field 22 of proc(5)'s stat, in ticks since boot, which is why the boot goes with it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name in parentheses may hold anything
    if not fields or fields[0] in ("Z", "X"):
        return None
    return f"{_boot()}/{fields[19]}"


@functools.cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
    except OSError:
        return "?"


def _start_from_ps(pid: int) -> str | None:
    """macOS and the BSDs."""
    import subprocess  # only here: costs 8 ms at import

    program = find_program("ps")
    if program is None:
        return None
    try:
        told = subprocess.run([program, "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return told.stdout.strip() or None


def _start_on_windows(pid: int) -> str | None:
    import ctypes  # only here: costs 5 ms at import

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - the name exists on Windows only
    query_limited_information, still_active = 0x1000, 259
    process = kernel.OpenProcess(query_limited_information, False, pid)
    if not process:
        return None
    times = [ctypes.c_ulonglong() for _ in range(4)]
    status = ctypes.c_ulong()
    try:
        kernel.GetExitCodeProcess(process, ctypes.byref(status))
        known = kernel.GetProcessTimes(process, *(ctypes.byref(time) for time in times))
    finally:
        kernel.CloseHandle(process)
    return str(times[0].value) if known and status.value == still_active else None
