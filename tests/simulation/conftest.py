"""Which seeds: `--seeds 100000 --first-seed N`; `--seed N` replays one; `--seeds-done FILE` makes a long one resumable."""

from __future__ import annotations

from pathlib import Path

DEFAULT_SEEDS = 2_000
CHUNK = 25  # seeds in one test: small enough for two workers to share them evenly


def pytest_addoption(parser):
    group = parser.getgroup("simulation")
    group.addoption("--seed", type=int, default=None, help="replay one seed of the simulation")
    group.addoption("--seeds", type=int, default=DEFAULT_SEEDS, help="how many seeds of the simulation are tried")
    group.addoption("--first-seed", type=int, default=0, help="where they begin")
    group.addoption(
        "--seeds-done", type=Path, default=None, help="chunks that passed are kept here, and left out next time"
    )


def pytest_generate_tests(metafunc):
    if "seeds" not in metafunc.fixturenames:
        return
    option = metafunc.config.getoption
    one = option("--seed")
    if one is not None:
        chunks = [range(one, one + 1)]
    else:
        first, end = option("--first-seed"), option("--first-seed") + option("--seeds")
        done = _done(option("--seeds-done"))
        chunks = [range(at, min(at + CHUNK, end)) for at in range(first, end, CHUNK)]
        chunks = [chunk for chunk in chunks if name_of(chunk) not in done]
    metafunc.parametrize("seeds", chunks, ids=name_of)


def name_of(chunk):
    return f"{chunk[0]}-{chunk[-1]}"


def _done(path):
    return set(path.read_text(encoding="ascii").split()) if path is not None and path.exists() else set()
