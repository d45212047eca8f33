"""The fuzzers of `fuzz/`, briefly: `python -m fuzz recipes --seconds 600` goes on longer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fuzz import mutate
from fuzz.targets import TARGETS, Found, command, prepare

CASES = {"recipes": 40, "expressions": 300, "plans": 4, "journals": 25, "locks": 40}


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_mutated_data_ends_with_findings(here: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    place = prepare(here)
    for seed in range(CASES[name]):
        TARGETS[name](place, random.Random(seed))


def test_a_fuzzer_notices_a_defect(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(words: list[str]) -> int:
        return 70

    monkeypatch.setattr("fuzz.targets.run", broken)
    with pytest.raises(Found, match="status 70"):
        command("validate")


def test_the_same_seed_makes_the_same_change() -> None:
    assert mutate.text("a: b", random.Random(1)) == mutate.text("a: b", random.Random(1))
    assert mutate.data(b"abc", random.Random(1)) == mutate.data(b"abc", random.Random(1))
