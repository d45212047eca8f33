"""Large recipes: right ones are checked in time that grows with them, and so are those with ten thousand slips."""

from __future__ import annotations

import gc
import weakref
from difflib import SequenceMatcher
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenflow.problems import Problems
from zenflow.recipe import load
from zenflow.recipe.load import collector_paused, load_draft
from zenflow.suggest import Patience, nearest

MANY = 200_100
WORDS = st.text("abcdefgABC_-0123", max_size=8)


@given(WORDS, st.lists(WORDS, max_size=12))
def test_finds_the_same_nearest_word_by_the_short_way(word: str, known: list[str]) -> None:
    def likeness(candidate: str) -> float:
        plain = (text.lower().replace("-", "_") for text in (word, candidate))
        return SequenceMatcher(None, *plain).ratio()

    expected = max(known, key=likeness, default=None)  # of equals the first

    found = nearest(word, known, least=0.6)

    assert found == (expected if expected is not None and likeness(expected) >= 0.6 else None)


def test_lists_names_instead_of_suggestions_after_many_slips() -> None:
    patience = Patience()

    answers = [patience.allows(1_000) for _ in range(200)]

    assert answers == [True] * 100 + [False] * 100


def test_suggests_only_for_the_first_of_1000_unknown_steps(tmp_path: Path) -> None:
    lines = ["zenflow: 1", "name: many", "steps:"]
    for number in range(1_000):
        lines.append(
            f'  photo{number}: {{uses: describe, with: {{asset_id: "${{{{ steps.phto{number}.asset_id }}}}"}}}}'
        )
    path = tmp_path / "many.yaml"
    path.write_text("\n".join(lines) + "\n")
    problems = Problems()

    load_draft(path, problems)

    unknown = [one for one in problems.in_order() if one.code == "ZF310"]
    assert len(unknown) == 1_000
    assert (unknown[0].hint or "").startswith("Did you mean `photo0`? The steps: `photo0`, `photo1`")
    assert (unknown[-1].hint or "").startswith("The steps: `photo0`, `photo1`")


def test_skips_paused_garbage_when_the_collector_resumes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load, "_TIMES", count(1))
    gc.collect()
    walked: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        walked.append(info["generation"])

    gc.callbacks.append(note)
    try:
        with collector_paused():
            held = [[] for _ in range(MANY)]  # type: ignore[var-annotated]
        del held[50:]
    finally:
        gc.callbacks.remove(note)

    assert gc.isenabled()
    assert walked == []


class Request:
    """What a program makes that uses zenflow: garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def test_collects_garbage_of_many_large_recipes() -> None:
    request = Request()
    is_there = weakref.ref(request)
    _read_a_large_one()
    del request
    for _ in range(8):
        _read_a_large_one()
    assert is_there() is None


def _read_a_large_one() -> None:
    with collector_paused():
        held = [[] for _ in range(MANY)]  # type: ignore[var-annotated]
    assert len(held) == MANY


def test_leaves_collector_counts_alone_for_small_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begun anew each time, they would never come to old garbage."""
    frozen: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    gc.collect()
    with collector_paused():
        held = [[] for _ in range(1_000)]  # type: ignore[var-annotated]
    assert len(held) == 1_000
    assert frozen == []
