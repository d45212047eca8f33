"""Runs through every weather: one seed decides the recipe, the faults and the deaths; the invariants of money.md must hold.

A failing seed prints its story and replays: `python -m pytest tests/simulation --seed N`.
"""

from __future__ import annotations

import pytest

from zenflow.testing.weather import check_the_end, live_through, story_of, weather_of


def test_a_run_keeps_its_promises_in_any_weather(seed):
    weather = weather_of(seed)
    try:
        check_the_end(weather, live_through(weather))
    except AssertionError as error:
        pytest.fail(
            f"{error}\nreplay with: python -m pytest tests/simulation --seed {seed}\n{story_of(weather)}", False
        )
