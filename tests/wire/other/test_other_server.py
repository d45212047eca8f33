"""zenflow against another server of the contract: what it makes, saves and books agrees with what that server charged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from other_doors import TOKEN, Fault, Town, serving
from other_media import picture
from other_service import Dialect
from PIL import Image

SCHEMAS = Path(__file__).parents[3] / "schemas"
PACE = 40.0  # of zenflow's clock in these tests (tests/wire/conftest.py): the service's own keeps up
SOON = (2.0, 12.0)  # seconds of that clock which a call takes
RECIPE = """
zenflow: 1
name: shoot
inputs:
  photo: {type: image}
  looks: {type: array, items: {type: string}, default: [studio, street, beach]}
budget: 60
steps:
  up: {uses: upload, with: {source: "${{ inputs.photo }}"}}
  gen:
    foreach: ${{ inputs.looks }}
    uses: image_editor
    with: {prompt: "${{ item }}", image_assets: ["${{ steps.up.asset_id }}"], model: SEEDREAM_5, number_of_images: 2}
  big:
    foreach: ${{ steps.gen.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}", output_format: png}
  save:
    uses: download
    with: {asset_ids: "${{ steps.big.asset_ids }}", name: "${{ origin.gen.item }}-${{ index }}"}
outputs: {images: "${{ steps.save.files }}"}
"""
RUN = ("shoot.yaml", "-i", "photo=p.png", "--json")

Said = Any
Zenflow = Callable[..., Said]


@pytest.fixture
def shoot(here: Path, zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch) -> Zenflow:
    """A workspace with the recipe and its photo; every document that comes back is held to its published schema."""
    (here / "shoot.yaml").write_text(RECIPE)
    (here / "p.png").write_bytes(picture("photo"))
    monkeypatch.setenv("ZENFLOW_TOKEN", TOKEN)

    def call(town: Town, command: str, *words: str) -> Said:
        said = zenflow(command, *words, "--server", town.url)
        kind = command if command in ("plan", "validate", "runs") else "run"
        jsonschema.validate(said.document, json.loads((SCHEMAS / f"{kind}.schema.json").read_text()))
        assert "Traceback" not in said.err
        return said

    return call


def dialect(**choices: Any) -> Dialect:
    return Dialect(**{"duration_s": SOON, **choices})


DIALECTS = {
    "text": dialect(poll_gap_s=1.9, per_second=10),
    "json": dialect(answers="json_text", errors="structured", ledger="credits", prices="float", helpers=False),
    "nested": dialect(results="nested", ledger="nested", prices="text", lean=True, waits=False, bodies="wrong"),
    "oldest": dialect(ledger="plain", ledger_oldest_first=True, bodies="chunked", url_once=True, ledger_kinds=False),
    "spelt": dialect(counts="text", statuses="upper", moments="naive", page_most=2, batch_urls=False, waits=False),
    "alone": dialect(counts="text", moments="space", page_most=1, answers="json_text", uuid_upper=True, prices="text"),
    "strange": dialect(
        statuses="other", moments="epoch", addresses="relative", ledger="sizes", rows_each=True, page_most=3
    ),
    "late": dialect(calls_late=True, partial_word=False, bodies="typeless", ledger_absent=True),
}


@pytest.mark.parametrize("door", ["sdk", "hand"])
@pytest.mark.parametrize("choice", DIALECTS)
def test_plan_run_and_the_servers_own_books_agree(door: str, choice: str, shoot: Zenflow, zenflow: Zenflow) -> None:
    with serving(door, DIALECTS[choice], shared_limit=PACE) as town:
        planned = shoot(town, "plan", *RUN)
        assert (planned.status, planned.document["verdict"]) == (0, "fits")
        assert town.service.posts == 0
        said = shoot(town, "run", *RUN, "--yes")
        if choice == "strange":
            checked = zenflow("ledger", "--check", "--json", "--server", town.url)
            assert (checked.status, checked.document["check"]["agrees"]) == (0, True)
    assert (said.status, said.document["status"], said.document["error"]) == (0, "done", None)
    credits = said.document["credits"]
    assert credits["charged"] == planned.document["credits"]["expected"] == town.service.charged == 18
    assert [step["instances"]["expected"] for step in planned.document["steps"]] == [
        len(step["instances"]) for step in said.document["steps"].values()
    ]
    assert town.service.posts == len(town.service.tasks) and sum(town.service.debits) == 18
    assert max(town.service.requests().values()) == 1
    assert len(said.document["files"]) == 6
    for file in said.document["files"]:
        with Image.open(Path(said.document["out"]) / file["path"]) as image:
            image.load()
            assert image.format == "PNG" and file["media_type"] == "image/png"


FAULTS = [
    ("hand", "cut_before", None),
    ("sdk", "cut_after", None),
    ("hand", "cut_midway", None),
    ("sdk", "garbage_after", None),
    ("hand", "prose_after", None),
    ("sdk", "status_after", 504),
    ("hand", "rpc_after", None),
    ("hand", "late", 0.05),
    ("sdk", "refuse", "Error 500: Internal server error"),
    ("hand", "refuse", "Rate limit exceeded (429), retry in 2s"),
]


@pytest.mark.parametrize(("door", "kind", "value"), FAULTS)
def test_an_answer_that_does_not_come_costs_nothing_twice(door: str, kind: str, value: Any, shoot: Zenflow) -> None:
    unlisted = kind == "cut_after"  # a listing without comments hides the stamp that is looked for
    with serving(door, dialect(comments_listed=not unlisted), shared_limit=PACE) as town:
        town.faults.append(Fault("create_task", kind, value=value))
        said = shoot(town, "run", *RUN, "--yes")
        if said.status == 4:
            said = shoot(town, "resume", "--json", "--yes")
    assert (said.status, said.document["credits"]["charged"], town.service.charged) == (0, 18, 18)
    assert max(town.service.requests().values()) == 1


@pytest.mark.parametrize("ledger", ["plain", "delta"])
@pytest.mark.parametrize("oldest_first", [False, True])
def test_a_debit_nobody_knows_keeps_a_call_from_being_sent_again(
    ledger: str, oldest_first: bool, shoot: Zenflow
) -> None:
    """The task is in no listing; the transaction list alone says that it was charged, whichever way round it is told."""
    choices = dialect(ledger=ledger, ledger_oldest_first=oldest_first, list_lag_s=1e6)
    with serving("hand", choices, shared_limit=PACE) as town:
        town.fault("create_task", "cut_after")
        said = shoot(town, "run", *RUN, "--yes")
    assert (said.status, said.document["status"]) == (4, "stopped")
    assert (said.document["credits"]["unknown"], town.service.charged, town.service.posts) == (6, 6, 1)


@pytest.mark.parametrize("ledger", ["plain", "delta", "credits", "nested", "sizes"])
@pytest.mark.parametrize("oldest_first", [False, True])
def test_a_charge_above_its_quote_and_a_refund_are_booked(ledger: str, oldest_first: bool, shoot: Zenflow) -> None:
    with serving("hand", dialect(ledger=ledger, ledger_oldest_first=oldest_first), shared_limit=PACE) as town:
        town.service.price_of = lambda tool, price: price + 1 if tool == "image_editor" else price
        town.service.fails = {4: "The call input was invalid or unsupported."}
        said = shoot(town, "run", *RUN, "--yes")
    assert said.status == 1
    assert said.document["credits"]["charged"] == town.service.charged


def test_plans_under_a_strict_rate_limit(here: Path, shoot: Zenflow) -> None:
    extra = "".join(
        f"  {name}: {{uses: {name}, with: {{image_asset_id: '${{{{ steps.up.asset_id }}}}'{more}}}}}\n"
        for name, more in (("background_remover", ""), ("upscaler", ", output_format: png"))
    )
    extra += "  llm: {uses: run_any_llm, with: {prompt: a, model: grok}}\n"
    (here / "shoot.yaml").write_text(RECIPE.replace("  save:", extra + "  save:"))
    with serving("hand", dialect(per_second=2), shared_limit=1.0) as town:
        town.service._shared_limit = PACE
        said = shoot(town, "plan", *RUN)
    assert (said.status, said.document["verdict"]) == (0, "fits")


def test_reads_a_listing_without_page_info_to_its_end(shoot: Zenflow) -> None:
    """150 newer tasks of another client, a filter that does nothing, pages without total and has_more, and no ledger."""
    with serving("hand", dialect(lean=True, query_ignored=True, ledger_absent=True), shared_limit=PACE) as town:
        service = town.service

        def busy(tool: str) -> None:
            if tool == "list_tasks" and len(service.tasks) < 100:
                for number in range(150):
                    service.zencreator_create_task("run_any_llm", [{"prompt": str(number)}], "another client's")

        town.on_request = busy
        town.fault("create_task", "cut_after")
        said = shoot(town, "run", *RUN, "--yes")
    assert (said.status, said.document["credits"]["charged"], town.service.charged) == (0, 18, 150 + 18)
    assert max(service.requests().values()) == 1


def test_a_run_that_is_refused_tells_a_runs_keys(shoot: Zenflow) -> None:
    with serving("hand", dialect(), credits=5, shared_limit=PACE) as town:
        said = shoot(town, "run", *RUN, "--yes")
    document = said.document
    assert (said.status, document["status"]) == (3, "refused")
    assert document["credits"] == {"planned": {"low": 6, "expected": 18, "worst": 18}, "charged": 0, "budget": 60}
    assert (document["balance"], document["files"], town.service.posts) == ({"before": 5, "after": 5}, [], 0)
    assert document["plan"]["verdict"] == "over"


def test_reports_a_named_file_and_a_broken_expression_once(here: Path, shoot: Zenflow) -> None:
    wrong = RECIPE.replace("${{ inputs.photo }}", "./no.png").replace(
        '"${{ item }}", image_assets', '"${{ 1 + }}", image_assets'
    )
    (here / "shoot.yaml").write_text(wrong)
    with serving("hand", dialect(), shared_limit=PACE) as town:
        said = shoot(town, "run", "shoot.yaml", "--json", "--yes", "-i", "photo=p.png")
    errors = [(p["code"], p["line"]) for p in said.document["problems"] if p["severity"] == "error"]
    assert (said.status, errors) == (2, [("ZF510", 9), ("ZF302", 13)])
    assert town.service.posts == 0
