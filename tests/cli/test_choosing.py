"""A `pick` at a terminal: the candidates with their files, the price of what follows, the question; and no answer at all."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zenflow.cli.terminal.console import Console

pytestmark = pytest.mark.slow

Zenflow = Callable[..., Any]

RECIPE = """\
zenflow: 1
name: reds
budget: 20
steps:
  draw:
    uses: by_prompt
    with: {positive_prompt: a red apple, model: SEEDREAM_5, batch_size: 3}
  choose:
    uses: pick
    with: {asset_ids: "${{ steps.draw.asset_ids }}", question: Which are the reddest?, count: 2}
  enlarge:
    foreach: ${{ steps.choose.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}", output_format: png}
  save:
    uses: download
    with: {asset_ids: "${{ steps.enlarge.asset_ids }}"}
"""


@pytest.fixture
def reds(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    (here / "reds.yaml").write_text(RECIPE, encoding="utf-8")
    return here


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A person at a terminal who types this."""

    def type_(text: str) -> None:
        monkeypatch.setattr(Console, "can_ask", property(lambda self: True))
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return type_


def test_shows_candidates_with_files_and_continues(
    zenflow: Zenflow, reds: Path, answers: Callable[[str], None]
) -> None:
    answers("1, 3\n")
    answer = zenflow("run", "reds.yaml", "--json")
    assert answer.status == 0, answer.err
    run_id = answer.document["run_id"]
    assert "1 choice to make. What follows costs about 4 credits." in answer.err
    assert "choose: Which are the reddest?\n  1  " in answer.err
    shown = [f"{number}  out/{run_id}/previews/choose-{number}.webp" for number in (1, 2, 3)]
    assert all(line in answer.err for line in shown)
    assert all((reds / line[3:]).stat().st_size for line in shown)
    offered = answer.document["steps"]["draw"]["instances"][0]["asset_ids"]
    assert answer.document["steps"]["choose"]["instances"][0]["asset_ids"] == [offered[0], offered[2]]
    assert answer.document["credits"]["charged"] == 7


def test_what_is_no_choice_is_asked_again(zenflow: Zenflow, reds: Path, answers: Callable[[str], None]) -> None:
    answers("4\nfirst\n1,2,3\n0\n2\n")
    answer = zenflow("run", "reds.yaml", "--yes")
    assert answer.status == 0
    assert answer.err.count("is no choice: up to 2 of the numbers 1 to 3.") == 4


@pytest.mark.parametrize("typed", ["\n", "", None])
def test_stays_resumable_without_an_answer(
    zenflow: Zenflow,
    reds: Path,
    answers: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    typed: str | None,
) -> None:
    answers(typed or "")
    if typed is None:  # Ctrl-C

        class Interrupted(io.StringIO):
            def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
                raise KeyboardInterrupt

        monkeypatch.setattr("sys.stdin", Interrupted())
    rested = zenflow("run", "reds.yaml", "--json")
    assert (rested.status, rested.document["status"], rested.document["credits"]["charged"]) == (4, "stopped", 3)
    answers("2\n")
    resumed = zenflow("resume", "--json")
    assert (resumed.status, resumed.document["run_id"]) == (0, rested.document["run_id"])
    assert resumed.document["credits"]["charged"] == 5


def test_lists_choices_without_asking_if_no_terminal(zenflow: Zenflow, reds: Path) -> None:
    rested = zenflow("run", "reds.yaml", "--json", "--yes")
    assert rested.status == 4 and "Which," not in rested.err
    choice = rested.document["steps"]["choose"]["instances"][0]["choice"]
    assert (choice["question"], choice["most"]) == ("Which are the reddest?", 2)
    assert [candidate["number"] for candidate in choice["candidates"]] == [1, 2, 3]
    assert all(Path(candidate["file"]).is_file() for candidate in choice["candidates"])
    json.dumps(choice)
    done = zenflow("resume", "--pick", "choose=3", "--yes", "--json")
    assert done.status == 0 and "choice" not in done.document["steps"]["choose"]["instances"][0]


def test_a_candidate_that_a_step_has_saved_is_shown_by_that_file(
    zenflow: Zenflow, reds: Path, answers: Callable[[str], None]
) -> None:
    look = "  look: {uses: preview, with: {asset_ids: '${{ steps.draw.asset_ids }}', name: 'apple-${{ index }}'}}\n"
    (reds / "reds.yaml").write_text(RECIPE + look, encoding="utf-8")
    answers("\n")
    answer = zenflow("run", "reds.yaml")
    assert answer.status == 4
    assert "/previews/apple-0.webp\n  2 " in answer.err and "choose-1" not in answer.err


def test_asks_again_for_a_number_that_was_not_offered(
    zenflow: Zenflow, reds: Path, answers: Callable[[str], None]
) -> None:
    answers("1\n")
    answer = zenflow("run", "reds.yaml", "--pick", "choose=7")
    assert answer.status == 0 and "choose: Which are the reddest?" in answer.err
