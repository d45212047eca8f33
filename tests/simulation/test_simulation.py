"""Runs through every weather: one seed decides recipe, faults and deaths; the invariants of docs/promises.md must hold.

A failing seed prints its story and replays: `pytest tests/simulation --seed N`. A chunk tells all of its seeds that failed.
"""

from __future__ import annotations

import pytest

from tests.support.ending import check_the_end
from tests.support.runner import describe, run_scenario
from tests.support.scenario import scenario_of


def test_a_run_keeps_its_promises_in_any_weather(seeds, request):
    failed = [told for told in map(_lived, seeds) if told is not None]
    if failed:
        pytest.fail("\n\n".join(failed), False)
    done = request.config.getoption("--seeds-done")
    if done is not None:
        with done.open("a", encoding="ascii") as file:
            file.write(f"{seeds[0]}-{seeds[-1]}\n")


def _lived(seed):
    scenario = scenario_of(seed)
    try:
        check_the_end(scenario, run_scenario(scenario))
    except Exception as error:  # whatever it is, the seed is what one needs
        what = f"{type(error).__name__}: {error}"
        return f"{what}\nreplay with: pytest tests/simulation --seed {seed}\n{describe(scenario)}"
    return None
