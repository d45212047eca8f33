"""The time of a world never goes back, whatever is done to the clock of its machine."""

from __future__ import annotations

from tests.support.clock import VirtualClock
from zenflow.sandbox.clock import SandboxClock
from zenflow.sandbox.settings import SandboxSettings
from zenflow.sandbox.store import Store
from zenflow.sandbox.world import World


def test_keeps_world_time_when_the_wall_clock_goes_back():
    machine = VirtualClock()
    clock = SandboxClock(machine)
    began_s = clock.now_s()
    machine.advance(5)
    machine.shift_wall(-3600)
    assert clock.now_s() == began_s + 5
    clock.advance(100)
    assert clock.now_s() == began_s + 105


def test_continues_a_world_after_the_clock_was_set_back(tmp_path):
    machine = VirtualClock()
    store = Store(tmp_path)
    clock = SandboxClock(machine, store.last_moment_s())
    world = World(SandboxSettings(state_dir=tmp_path), store, clock.now_s)
    machine.advance(600)
    left_s = clock.now_s()
    world.close()
    machine.shift_wall(-3600)
    assert SandboxClock(machine, Store(tmp_path).last_moment_s()).now_s() == left_s


def test_leaves_the_moment_of_the_newest_row_when_killed(tmp_path):
    machine = VirtualClock()
    clock = SandboxClock(machine)
    store = Store(tmp_path)
    World(SandboxSettings(state_dir=tmp_path), store, clock.now_s)  # opens the ledger with its first credits
    opened_s = clock.now_s()
    machine.shift_wall(-3600)
    assert SandboxClock(machine, Store(tmp_path).last_moment_s()).now_s() == opened_s
