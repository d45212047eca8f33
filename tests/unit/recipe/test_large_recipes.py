"""Large recipes: right ones are checked in time that grows with them, and so are those with ten thousand slips."""

from __future__ import annotations

import gc
from difflib import SequenceMatcher
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from zenflow.problems import Problems
from zenflow.recipe.load import collector_paused, load_draft
from zenflow.suggest import Patience, nearest

WORDS = st.text("abcdefgABC_-0123", max_size=8)


@given(WORDS, st.lists(WORDS, max_size=12))
def test_the_short_way_to_the_nearest_word_finds_what_comparing_all_in_full_finds(word: str, known: list[str]) -> None:
    def likeness(candidate: str) -> float:
        plain = (text.lower().replace("-", "_") for text in (word, candidate))
        return SequenceMatcher(None, *plain).ratio()

    expected = max(known, key=likeness, default=None)  # of equals the first

    found = nearest(word, known, least=0.6)

    assert found == (expected if expected is not None and likeness(expected) >= 0.6 else None)


def test_after_many_slips_in_a_file_the_names_are_listed_and_not_compared_any_more() -> None:
    patience = Patience()

    answers = [patience.allows(1_000) for _ in range(200)]

    assert answers == [True] * 100 + [False] * 100


def test_each_of_a_thousand_unknown_steps_is_told_and_the_first_with_what_may_be_meant(tmp_path: Path) -> None:
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


def test_what_was_made_while_the_collector_paused_is_not_walked_when_it_goes_on() -> None:
    gc.collect()
    walked: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        walked.append(info["generation"])

    gc.callbacks.append(note)
    try:
        with collector_paused():
            held = [[] for _ in range(gc.get_threshold()[0] + 100)]  # type: ignore[var-annotated]
        del held[50:]
    finally:
        gc.callbacks.remove(note)

    assert gc.isenabled()
    assert walked == []
