"""A plan that binds: saved as a file, carried out exactly, refused when anything it stands on has moved."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from zenflow.clock import as_iso
from zenflow.plan.output.plan_file import sealed
from zenflow.providers.mcp.provider import McpProvider

Zenflow = Callable[..., Any]
SCHEMA = Path(__file__).parents[2] / "schemas" / "saved-plan.schema.json"

RECIPE = """\
zenflow: 1
name: shoot
version: 1.0.0
inputs:
  photo: {type: image, default: photos/example.jpg}
  looks: {type: array, items: {type: string}, default: [red, blue]}
budget: 60
steps:
  each:
    foreach: ${{ inputs.looks }}
    uses: ./one.yaml
    with: {photo: "${{ inputs.photo }}", look: "${{ item }}"}
  download: {uses: download, with: {asset_ids: "${{ steps.each.picture }}"}}
outputs:
  images: ${{ steps.download.files }}
"""
ONE = """\
zenflow: 1
name: one
version: 1.0.0
inputs:
  photo: {type: image}
  look: {type: string}
steps:
  upload: {uses: upload, with: {source: "${{ inputs.photo }}"}}
  generate:
    uses: image_editor
    with: {prompt: "A portrait in ${{ inputs.look }}", image_assets: ["${{ steps.upload.asset_id }}"], model: SEEDREAM_5}
outputs:
  picture: ${{ steps.generate.asset_id }}
"""


@pytest.fixture
def folder(zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    assert zenflow("init").status == 0
    recipes = here / "recipes"
    (recipes / "shoot.yaml").write_text(RECIPE)
    (recipes / "one.yaml").write_text(ONE)
    return recipes


@pytest.fixture
def saved(zenflow: Zenflow, folder: Path, here: Path) -> Path:
    answer = zenflow("plan", "shoot", "-o", "plan.json")
    assert answer.status == 0, answer.err
    return here / "plan.json"


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """As a plan would stand that was made when this was so."""
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(sealed(document)))


def refused(zenflow: Zenflow, path: Path) -> list[dict[str, str]]:
    answer = zenflow("run", "--plan", str(path), "--json")
    assert answer.status == 3, answer.err
    assert answer.document["error"]["code"] == "ZF670"
    assert zenflow("runs", "--json").document["runs"] == []  # nothing was begun
    moved: list[dict[str, str]] = answer.document["moved"]
    for one in moved:
        assert one["what"].split()[-1].lower() in answer.document["error"]["message"].lower()
    return moved


@pytest.mark.slow
def test_executes_a_saved_plan_of_its_schema_without_asking(zenflow: Zenflow, saved: Path, here: Path) -> None:
    document = json.loads(saved.read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    assert set(document["recipe"]["files"]) == {"shoot.yaml", "one.yaml"}
    assert [file["path"] for file in document["input_files"]] == ["recipes/photos/example.jpg"]
    assert str(here) not in saved.read_text()
    report = zenflow("run", "--plan", "plan.json", "--json")
    assert report.status == 0, report.err
    assert report.document["credits"]["charged"] == document["plan"]["credits"]["expected"] == 2
    again = zenflow("run", "--plan", "plan.json", "--json")
    assert again.document["credits"]["charged"] == 2


def test_a_plan_that_was_carried_elsewhere_finds_its_files(zenflow: Zenflow, saved: Path, here: Path) -> None:
    (here / "ci").mkdir()
    answer = zenflow("plan", "shoot", "-o", "ci/plan.json")
    assert answer.status == 0
    assert json.loads((here / "ci" / "plan.json").read_text())["recipe"]["path"] == "../recipes/shoot.yaml"
    assert zenflow("run", "--plan", "ci/plan.json").status == 0


@pytest.mark.parametrize("name", ["shoot.yaml", "one.yaml"])
def test_a_recipe_file_that_moved_is_named(zenflow: Zenflow, saved: Path, folder: Path, name: str) -> None:
    (folder / name).write_text((folder / name).read_text() + "# a word\n")
    assert [(m["kind"], m["what"]) for m in refused(zenflow, saved)] == [("recipe", f"recipe file {name}")]


def test_a_recipe_that_is_gone_is_named(zenflow: Zenflow, saved: Path, folder: Path) -> None:
    (folder / "shoot.yaml").unlink()
    assert [(m["kind"], m["after"]) for m in refused(zenflow, saved)] == [("recipe", "gone")]


def test_names_changed_and_missing_input_files(zenflow: Zenflow, saved: Path, folder: Path) -> None:
    photo = folder / "photos" / "example.jpg"
    photo.write_bytes(photo.read_bytes() + b"x")
    [moved] = refused(zenflow, saved)
    assert moved["kind"] == "file" and moved["what"].endswith("photos/example.jpg")
    photo.unlink()
    assert [m["after"] for m in refused(zenflow, saved)] == ["gone"]


def test_a_price_that_moved_is_told_from_what_to_what(zenflow: Zenflow, saved: Path) -> None:
    change(saved, lambda plan: plan["prices"][0].update(credits=7))
    [moved] = refused(zenflow, saved)
    assert (moved["kind"], moved["before"], moved["after"]) == ("price", "7 credits", "1 credit")
    assert moved["what"] == "price of image_editor · SEEDREAM_5"


def test_names_changes_of_schema_account_and_reuse(zenflow: Zenflow, saved: Path) -> None:
    change(saved, lambda plan: plan["tools"].update(image_editor="0" * 64))
    assert [m["kind"] for m in refused(zenflow, saved)] == ["tool"]
    change(saved, lambda plan: plan.update(account_id="somebody-else"))
    assert [m["kind"] for m in refused(zenflow, saved)] == ["account", "tool"]
    kept = {
        "instance": "each.0/generate",
        "fingerprint": "f",
        "from_run": "r",
        "from_instance": "each.0/generate",
        "credits": 1,
    }
    change(saved, lambda plan: plan["reuse"]["kept"].append(kept))
    assert [m["kind"] for m in refused(zenflow, saved)] == ["account", "tool", "reuse"]


def test_another_server_than_the_plans_is_refused(zenflow: Zenflow, saved: Path) -> None:
    answer = zenflow("run", "--plan", str(saved), "--server", "https://elsewhere.invalid/mcp", "--json")
    assert (answer.status, answer.document["moved"][0]["kind"]) == (3, "server")


@pytest.mark.slow
def test_marks_a_plan_stale_when_a_kept_result_is_gone(zenflow: Zenflow, saved: Path, here: Path) -> None:
    assert zenflow("run", "--plan", "plan.json").status == 0
    assert zenflow("plan", "shoot", "--reuse", "last", "-o", "kept.json").status == 0
    document = json.loads((here / "kept.json").read_text())
    assert [one["instance"] for one in document["reuse"]["kept"]] == ["each.0/generate", "each.1/generate"]
    assert zenflow("run", "--plan", "kept.json", "--json").document["credits"]["charged"] == 0


def test_leaves_secrets_out_of_the_file(zenflow: Zenflow, folder: Path, here: Path) -> None:
    (folder / "words.yaml").write_text(
        "zenflow: 1\nname: words\nversion: 1.0.0\ninputs:\n  photo: {type: image}\nsteps:\n"
        '  upload: {uses: upload, with: {source: "${{ inputs.photo }}"}}\n'
    )
    url = "https://someone:hunter2@pictures.invalid/a.png?token=abc123"
    assert zenflow("plan", "words", "-i", f"photo={url}", "-o", "plan.json").status == 0
    text = (here / "plan.json").read_text()
    assert "hunter2" not in text and "abc123" not in text and "pictures.invalid" in text
    missing = zenflow("run", "--plan", "plan.json")
    assert missing.status == 2 and "-i photo=" in missing.err
    other = zenflow("run", "--plan", "plan.json", "-i", "photo=https://pictures.invalid/b.png?token=x", "--json")
    assert (other.status, other.document["moved"][0]["kind"]) == (3, "input")


def test_what_is_no_plan_and_what_says_it_twice_is_wrong_usage(zenflow: Zenflow, saved: Path, here: Path) -> None:
    (here / "x.json").write_text("{}")
    assert zenflow("run", "--plan", "x.json").status == 2
    assert zenflow("run", "--plan", "absent.json").status == 2
    assert zenflow("run", "shoot", "--plan", "plan.json").status == 2
    assert zenflow("run").status == 2


def test_the_exit_status_tells_whether_there_is_something_to_pay(zenflow: Zenflow, folder: Path) -> None:
    assert zenflow("plan", "shoot", "--detailed-exitcode").status == 10
    assert zenflow("plan", "shoot", "--detailed-exitcode", "-i", "looks=[]").status == 0
    assert zenflow("plan", "shoot").status == 0
    assert zenflow("plan", "shoot", "--detailed-exitcode", "--budget", "1").status == 3
    dry, plan = zenflow("run", "shoot", "--dry-run"), zenflow("plan", "shoot")
    assert (dry.status, dry.out) == (0, plan.out)


def test_markdown_is_for_a_pull_request(zenflow: Zenflow, folder: Path) -> None:
    text = zenflow("plan", "shoot", "--format", "markdown").out
    assert text.startswith("### Plan of shoot 1.0.0\n")
    assert "| &nbsp;&nbsp;generate | image\\_editor · SEEDREAM\\_5 | 2 | \\~1 | 2 | 2 | 2 |" in text
    assert "**Fits:** 2 credits" in text


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The price questions that the service is asked."""
    found: list[str] = []
    quote = McpProvider.quote

    async def counted(self: Any, question: Any) -> Any:
        found.append(question.tool)
        return await quote(self, question)

    monkeypatch.setattr(McpProvider, "quote", counted)
    return found


@pytest.mark.slow
def test_reuses_prices_for_your_time_and_tells_their_age(
    zenflow: Zenflow, saved: Path, here: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert zenflow("run", "shoot").status == 0  # the state folder is there, and with it what was told
    asked.clear()
    assert zenflow("plan", "shoot").status == 0 and asked == ["image_editor"]
    monkeypatch.setenv("ZENFLOW_PRICE_CACHE", "600")
    asked.clear()
    assert zenflow("plan", "shoot").status == 0 and asked == []
    path = here / ".zenflow" / "prices.json"
    rows = json.loads(path.read_text())
    for row in rows["sandbox"].values():
        row["asked_at"] = as_iso(datetime.now(UTC) - timedelta(seconds=300))
    path.write_text(json.dumps(rows))
    text = zenflow("plan", "shoot").out
    assert asked == [] and "5 min 0" in text and " old: each/generate." in text
    for row in rows["sandbox"].values():
        row["asked_at"] = as_iso(datetime.now(UTC) - timedelta(seconds=601))
    path.write_text(json.dumps(rows))
    assert zenflow("plan", "shoot").status == 0 and asked == ["image_editor"]


@pytest.mark.slow
def test_asks_all_prices_again_for_a_binding_plan(
    zenflow: Zenflow, saved: Path, here: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A price that was kept says what held then; what binds is what holds now."""
    monkeypatch.setenv("ZENFLOW_PRICE_CACHE", "600")
    assert zenflow("run", "--plan", "plan.json").status == 0
    path = here / ".zenflow" / "prices.json"
    rows = json.loads(path.read_text())
    for row in rows["sandbox"].values():
        row.update(credits="7", asked_at=as_iso(datetime.now(UTC)))
    path.write_text(json.dumps(rows))
    assert zenflow("plan", "shoot", "--json").document["credits"]["expected"] == 14  # the kept price serves a plan
    asked.clear()
    report = zenflow("run", "--plan", "plan.json", "--json")
    assert (report.status, report.document["credits"]["charged"]) == (0, 2) and "image_editor" in asked
    rows["sandbox"] = {
        key: {**row, "credits": "7", "asked_at": as_iso(datetime.now(UTC))} for key, row in rows["sandbox"].items()
    }
    path.write_text(json.dumps(rows))
    assert zenflow("plan", "shoot", "-o", "kept.json").status == 0  # a plan of kept prices, each with its time
    moved = zenflow("run", "--plan", "kept.json", "--json")
    assert (moved.status, moved.document["moved"][0]["kind"]) == (3, "price")
    assert (moved.document["moved"][0]["before"], moved.document["moved"][0]["after"]) == ("7 credits", "1 credit")


def test_names_an_input_that_differs_from_the_plan(zenflow: Zenflow, saved: Path) -> None:
    change(saved, lambda plan: plan["inputs"].update(looks=["red", "blue", "green"]))
    assert [moved["kind"] for moved in refused(zenflow, saved)] == ["total"]  # what it says of itself no longer adds up
    answer = zenflow("run", "--plan", str(saved), "-i", "looks=[]")
    assert answer.status == 2 and "the plan holds that input" in answer.err


def test_treats_a_new_default_as_a_changed_recipe(zenflow: Zenflow, saved: Path, folder: Path) -> None:
    (folder / "shoot.yaml").write_text(RECIPE.replace("[red, blue]", "[red, blue, green]"))
    assert [moved["kind"] for moved in refused(zenflow, saved)] == ["recipe"]


@pytest.mark.slow
def test_marks_a_plan_stale_when_a_reusable_result_is_gone(zenflow: Zenflow, saved: Path, here: Path) -> None:
    assert zenflow("run", "--plan", "plan.json").status == 0
    assert zenflow("plan", "shoot", "--reuse", "last", "-o", "kept.json").status == 0
    [store] = list((here / ".zenflow" / "sandbox").rglob("*.db"))
    ids = json.loads((here / "kept.json").read_text())["reuse"]["kept"]
    gone = one_asset_of(zenflow, ids[0]["from_run"])
    with sqlite3.connect(store) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        [table] = [name for name in tables if "asset" in name]
        column = connection.execute(f"PRAGMA table_info({table})").fetchone()[1]
        assert connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (gone,)).rowcount == 1
    connection.close()
    answer = zenflow("run", "--plan", "kept.json", "--json")
    assert answer.status == 3, answer.err
    assert {moved["kind"] for moved in answer.document["moved"]} == {"reuse", "total"}
    assert "nothing: it is made new" in answer.document["error"]["message"]


def one_asset_of(zenflow: Zenflow, run_id: str) -> str:
    document = zenflow("show", run_id, "--json").document
    ids = [
        i["asset_ids"][0]
        for path, step in document["steps"].items()
        if path.endswith("generate")
        for i in step["instances"]
    ]
    return str(ids[0])


def test_refuses_a_workspace_budget_below_the_worst_case(zenflow: Zenflow, saved: Path, here: Path) -> None:
    settings = here / "zenflow.toml"
    settings.write_text("[budget]\nper_run = 1\n")
    answer = zenflow("run", "--plan", str(saved), "--json")
    assert (answer.status, answer.document["error"]["code"]) == (3, "ZF661")
    assert zenflow("runs", "--json").document["runs"] == []


def test_refuses_any_edited_plan_file(zenflow: Zenflow, saved: Path) -> None:
    whole = saved.read_text()
    for before, after in (
        ('"budget": 60', '"budget": 6000'),
        ('"worst": 2', '"worst": 1'),
        ('"made_at": "2', '"made_at": "3'),
    ):
        assert before in whole
        saved.write_text(whole.replace(before, after))
        [moved] = refused(zenflow, saved)
        assert (moved["kind"], moved["what"], moved["after"]) == ("plan", "plan file plan.json", "changed since")
    saved.write_text(json.dumps(json.loads(whole)))  # laid out otherwise: the same plan
    assert zenflow("run", "--plan", str(saved)).status == 0


def test_rejects_a_plan_file_cut_off_or_of_a_newer_zenflow(zenflow: Zenflow, saved: Path) -> None:
    whole = saved.read_text()
    saved.write_text(whole[: len(whole) // 2])
    cut = zenflow("run", "--plan", str(saved))
    assert cut.status == 2 and "is no saved plan, nor JSON at all" in " ".join(cut.err.split())
    saved.write_text(whole)
    change(saved, lambda plan: plan.update(format=2))
    newer = zenflow("run", "--plan", str(saved))
    assert newer.status == 2 and "format 2; this zenflow reads 1" in newer.err
    saved.write_text(whole)
    change(saved, lambda plan: plan.pop("prices"))
    short = zenflow("run", "--plan", str(saved))
    assert short.status == 2 and "`prices` is missing" in short.err and "zenflow plan RECIPE -o FILE" in short.err


MAY_STOP = """\
zenflow: 1
name: perhaps
version: 1.0.0
budget: 1
steps:
  make: {uses: by_prompt, retry: 1, with: {positive_prompt: a, model: SEEDREAM_5}}
  save: {uses: download, with: {asset_ids: "${{ steps.make.asset_ids }}"}}
"""


def test_strict_holds_for_a_saved_plan_too(zenflow: Zenflow, folder: Path) -> None:
    (folder / "perhaps.yaml").write_text(MAY_STOP)
    assert zenflow("plan", "perhaps", "-o", "perhaps.json").status == 0

    refused = zenflow("run", "--plan", "perhaps.json", "--strict")

    assert refused.status == 3
    assert "[ZF664]" in refused.err
    assert zenflow("run", "--plan", "perhaps.json").status == 0
