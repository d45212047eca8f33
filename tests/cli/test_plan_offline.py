"""A plan without a service: the last schemas and prices with their ages, the account as it was seen last, and what the
journal knows of earlier runs; nobody is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zenflow.app.connection import wiring

pytestmark = pytest.mark.slow

Zenflow = Callable[..., Any]

RECIPE = """\
zenflow: 1
name: two
version: 1.0.0
inputs:
  words: {type: array, items: {type: string}, default: [red, blue]}
steps:
  make:
    foreach: ${{ inputs.words }}
    uses: by_prompt
    with: {positive_prompt: "${{ item }}", model: SEEDREAM_5, ratio: "1:1"}
  enlarge:
    foreach: ${{ steps.make.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}", output_format: png}
  save: {uses: download, with: {asset_ids: "${{ steps.enlarge.asset_ids }}"}}
"""


@pytest.fixture
def nobody_is_asked(zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`zenflow`, with a service that must not even be opened."""
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    assert zenflow("init").status == 0
    (here / "recipes" / "two.yaml").write_text(RECIPE)

    def offline(*words: str) -> Any:
        def opened(*args: object, **more: object) -> Any:
            raise AssertionError("a service was opened")

        with monkeypatch.context() as patched:
            patched.setattr(wiring, "open_provider", opened)
            return zenflow("plan", "two", "--offline", *words)

    return offline


def age(here: Path, name: str, moment: str) -> None:
    """Everything that was told or seen, as of another moment."""
    path = here / ".zenflow" / name
    document = json.loads(path.read_text())
    for rows in document.values():
        for row in rows.values() if name == "prices.json" else [rows]:
            row["asked_at" if name == "prices.json" else "at"] = moment
    path.write_text(json.dumps(document))


def test_knows_no_price_and_no_balance_before_asking(nobody_is_asked: Zenflow) -> None:
    answer = nobody_is_asked("--json")
    assert (answer.status, answer.document["verdict"]) == (3, "unpriced")
    assert answer.document["balance"] is None and answer.document["unpriced"] == ["make", "enlarge"]
    text = " ".join(nobody_is_asked().out.split())
    assert "the balance is unknown: no plan here has seen it yet" in text
    assert "? no price for make, enlarge: no price was asked for it yet" in text


def test_each_price_and_the_balance_have_their_age(zenflow: Zenflow, nobody_is_asked: Zenflow, here: Path) -> None:
    assert zenflow("run", "two").status == 0
    assert zenflow("plan", "two").status == 0
    age(here, "prices.json", "2026-01-02T03:04:05Z")
    age(here, "accounts.json", "2026-01-03T03:04:05Z")
    found = nobody_is_asked("--json")
    assert found.status == 0
    assert found.document["credits"] == {"low": 2, "expected": 6, "worst": 6}
    assert found.document["balance"] == 994 and found.document["balance_at"].startswith("2026-01-03T03:04:05")
    paid = {step["id"]: step["priced_at"] for step in found.document["steps"] if step["kind"] == "tool"}
    assert {name: at[:10] for name, at in paid.items()} == {"make": "2026-01-02", "enlarge": "2026-01-02"}
    text = " ".join(nobody_is_asked().out.split())
    assert "balance of 2026-01-03 03:04 UTC, " in text and "balance as of 2026-01-03 994" in text
    assert "Prices of 2026-01-02 03:04 UTC, " in text and "days old: make, enlarge." in text
    markdown = nobody_is_asked("--format", "markdown").out
    assert "Offline, nothing was asked: schemas of " in markdown and "Prices of 2026-01-02" in markdown


def test_the_verdict_is_against_the_balance_as_it_was_seen(
    zenflow: Zenflow, nobody_is_asked: Zenflow, here: Path
) -> None:
    assert zenflow("plan", "two").status == 0  # the balance is kept only where there is a state folder
    assert zenflow("run", "two").status == 0
    path = here / ".zenflow" / "accounts.json"
    document = json.loads(path.read_text())
    document["sandbox"]["credits"] = "3"
    path.write_text(json.dumps(document))
    answer = nobody_is_asked()
    assert answer.status == 3 and "3 more than the balance of 3" in answer.out


def test_what_earlier_runs_made_is_in_the_journal_and_is_kept(zenflow: Zenflow, nobody_is_asked: Zenflow) -> None:
    assert zenflow("run", "two").status == 0
    words = ("-i", 'words=["red","green"]')
    online = zenflow("plan", "two", "--reuse", "last", *words, "--json").document
    offline = nobody_is_asked("--reuse", "last", *words, "--json").document
    assert offline["reuse"] == online["reuse"] and offline["credits"] == online["credits"]
    assert offline["reuse"]["kept_credits"] == 3 and offline["reuse"]["orphaned_credits"] == 3


def test_what_needs_the_service_is_wrong_usage(nobody_is_asked: Zenflow) -> None:
    for more in (("--compare",), ("--cheapest",), ("-o", "plan.json")):
        answer = nobody_is_asked(*more)
        assert answer.status == 2 and "asks the service" in answer.err


def test_a_damaged_record_is_no_record(zenflow: Zenflow, nobody_is_asked: Zenflow, here: Path) -> None:
    assert zenflow("run", "two").status == 0
    (here / ".zenflow" / "accounts.json").write_text("{")
    (here / ".zenflow" / "prices.json").write_text('{"sandbox": {"x": {"credits": "1"}}}')
    found = nobody_is_asked("--reuse", "last", "--json").document
    assert found["balance"] is None and found["reuse"]["kept_credits"] == 6  # whose results they are, the runs say
