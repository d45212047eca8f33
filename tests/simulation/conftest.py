"""`--seed N` replays one seed; ZENFLOW_SEED does the same, ZENFLOW_SEEDS says how many are tried."""

from __future__ import annotations

import os

DEFAULT_SEEDS = 300


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=None, help="replay one seed of the simulation")


def pytest_generate_tests(metafunc):
    if "seed" not in metafunc.fixturenames:
        return
    one = metafunc.config.getoption("--seed", None)
    if one is None and "ZENFLOW_SEED" in os.environ:
        one = int(os.environ["ZENFLOW_SEED"])
    first = int(os.environ.get("ZENFLOW_FIRST_SEED", "0"))
    count = int(os.environ.get("ZENFLOW_SEEDS", DEFAULT_SEEDS))
    metafunc.parametrize("seed", range(first, first + count) if one is None else [one])
