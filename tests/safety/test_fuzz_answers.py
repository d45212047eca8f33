"""A short run of `fuzz/fuzz_answers.py`, and the seeds that it has found something with."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

FUZZER = Path(__file__).parents[2] / "fuzz" / "fuzz_answers.py"
FOUND: tuple[int, ...] = ()
"""Seeds with a finding that is fixed."""


@pytest.fixture(scope="module")
def fuzzer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_answers", FUZZER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("first", [1, 101, 201])
def test_no_reader_breaks_over_a_mutated_answer(fuzzer: ModuleType, first: int) -> None:
    wrong = {seed: found for seed in range(first, first + 100) if (found := fuzzer.trial(seed)) is not None}
    assert wrong == {}


def test_seeds_that_found_something_find_nothing_now(fuzzer: ModuleType) -> None:
    assert [seed for seed in FOUND if fuzzer.trial(seed) is not None] == []


def test_the_fuzzer_notices_a_reader_that_breaks(fuzzer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> object:
        raise KeyError("a defect")

    monkeypatch.setattr("zenflow.providers.mcp.session.session.answer_from", broken)
    monkeypatch.setattr("zenflow.providers.mcp.session.call.ServiceError", KeyError)
    assert any(fuzzer.trial(seed) is not None for seed in range(1, 60))
