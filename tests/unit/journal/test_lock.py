"""Who is alive."""

import os
import subprocess
import sys

import pytest

from zenflow.journal import lock
from zenflow.journal.base import Holder


def test_this_process_lives_and_knows_when_it_began() -> None:
    me = lock.this_process()
    assert (me.pid, me.host) == (os.getpid(), lock.this_host())
    assert lock.is_alive(me)
    assert me == lock.this_process()


def test_treats_a_reused_process_number_as_dead() -> None:
    assert not lock.is_alive(Holder(lock.this_host(), os.getpid(), "another boot/1"))


def test_a_process_that_ended_is_dead_even_before_it_is_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    held_by = Holder(lock.this_host(), child.pid, lock.process_start(child.pid) or "?")
    assert lock.is_alive(held_by)
    assert child.stdin is not None
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, not reaped: a zombie
    assert not lock.is_alive(held_by)
    child.wait()
    assert not lock.is_alive(held_by)


def test_of_another_machine_nothing_can_be_known() -> None:
    assert lock.is_alive(Holder("far-away", 1, "1"))


@pytest.mark.skipif(os.name == "nt", reason="ps")
def test_where_there_is_no_proc_ps_is_asked() -> None:
    try:
        mine = lock._start_from_ps(os.getpid())
    except FileNotFoundError:
        pytest.skip("no ps here")
    if mine is None:
        pytest.skip("no ps here")
    assert mine == lock._start_from_ps(os.getpid())
    assert lock._start_from_ps(2**22 + 5) is None
