"""The manifest and the ledger, told from facts alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from zenflow.engine.model.report import InstanceReport, RunReport, StepReport
from zenflow.history import events as e
from zenflow.history.fold import fold
from zenflow.history.state import RunState
from zenflow.report.ledger import ledger_rows
from zenflow.report.manifest import manifest_document
from zenflow.report.run_document import run_document

AT = "2026-11-21T08:06:00Z"
PICTURE, LARGE = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"


def intended(number: int, tool: str, instance: str, quote: int, params: dict[str, Any]) -> e.Intended:
    call = e.IntendedCall(instance, 1, Decimal(quote), params)
    return e.Intended(AT, number, f"zf{number}", tool, "", (call,), None)


FACTS: list[Any] = [
    intended(1, "image_editor", "generate.0", 4, {"prompt": "a red hat", "model": "SEEDREAM_5"}),
    e.Accepted(AT, 1, "task-1", 1),
    e.Bound(AT, 1, ("call-1",)),
    e.Produced(AT, "generate.0", {"asset_ids": [PICTURE]}, 1, 0, Decimal(4)),
    intended(2, "upscaler", "upscale.0.0", 2, {"image_asset_id": PICTURE, "output_format": "png"}),
    e.Accepted(AT, 2, "task-2", 1),
    e.Bound(AT, 2, ("call-2",)),
    e.Produced(AT, "upscale.0.0", {"asset_ids": [LARGE]}, 2, 0, Decimal(2)),
    e.Confirmed(AT, 1, "row-1", Decimal(4)),
    e.FileSaved(AT, "download", 0, "red-hat.png", LARGE, "image/png", 1000, "0" * 64, "upscale.0.0"),
]


def report(state: RunState) -> RunReport:
    made = InstanceReport("upscale.0.0", 0, "done", Decimal(2), "task-2", "call-2", (LARGE,))
    files = tuple(file for places in state.files.values() for file in places.values())
    steps = {"upscale": StepReport("upscale", "upscaler", "done", (made,), Decimal(2))}
    return RunReport("run-1", "done", "", 0, state, steps, {"price": Decimal("1.5")}, files)


def test_records_ids_credits_and_prompt_of_a_file() -> None:
    document = manifest_document(report(fold(FACTS)), {"generate.0": "a hat"})
    [file] = document["files"]
    assert (file["path"], file["step"], file["instance"]) == ("red-hat.png", "upscale", "upscale.0.0")
    assert (file["tool"], file["task_id"], file["call_id"], file["credits"]) == ("upscaler", "task-2", "call-2", 2)
    assert file["parameters"] == {"image_asset_id": PICTURE, "output_format": "png"}
    assert (file["prompt"], file["model"]) == ("a red hat", "SEEDREAM_5")
    assert [(origin["instance"], origin["item"]) for origin in file["made_from"]] == [("generate.0", "a hat")]
    assert (file["media_type"], file["bytes"], file["sha256"]) == ("image/png", 1000, "0" * 64)


def test_lists_paid_but_missing_results_in_the_manifest() -> None:
    lost = e.NotRetrievable(AT, "upscale.0.0", 2, 0, "call-2", {"odd": 1})
    document = manifest_document(report(fold([*FACTS[:7], lost])))
    assert document["not_retrievable"] == [
        {"instance": "upscale.0.0", "call_id": "call-2", "task_id": "task-2", "output": {"odd": 1}}
    ]


def test_a_picture_made_from_itself_ends_the_line() -> None:
    odd = intended(1, "image_editor", "generate.0", 4, {"image_assets": [PICTURE]})
    facts = [odd, *FACTS[1:4], e.FileSaved(AT, "d", 0, "a.png", PICTURE, "image/png", 1, "0" * 64, "generate.0")]
    assert manifest_document(report(fold(facts)))["files"][0]["made_from"] == []


def test_lists_a_ledger_row_per_submission() -> None:
    rows = ledger_rows(fold([*FACTS, e.Refunded(AT, 1, "row-9", Decimal(4))]))
    assert [(r.submission, r.steps, r.tool, r.calls, r.outcome, r.task_id) for r in rows] == [
        (1, "generate", "image_editor", 1, "accepted", "task-1"),
        (2, "upscale", "upscaler", 1, "accepted", "task-2"),
    ]
    assert [(r.quote, r.charged, r.refunded, r.confirmed) for r in rows] == [(4, 4, 4, True), (2, 2, 0, False)]


def test_a_run_s_document_has_no_amount_that_json_cannot_hold() -> None:
    document = run_document(report(fold(FACTS)))
    assert document["outputs"] == {"price": 1.5}
    assert document["credits"]["charged"] == 6
    assert document["steps"]["upscale"]["instances"][0]["asset_ids"] == [LARGE]
