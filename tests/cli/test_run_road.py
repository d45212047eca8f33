"""The whole road in this process: plan, ask, run, look, resume, against sandboxes that stand in for live servers."""

from __future__ import annotations

import asyncio
import io
import json
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.running import run as running
from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import ServerOptions
from zenflow.cli.running.driver import _Guard
from zenflow.cli.terminal import questions
from zenflow.cli.terminal.console import Console
from zenflow.clock import Clock
from zenflow.history.events import RunStarted
from zenflow.providers.base import Provider
from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.wire.http import in_process
from zenflow.sandbox.server import build_app
from zenflow.sandbox.settings import SandboxSettings

pytestmark = pytest.mark.slow

Zenflow = Callable[..., Any]
SPEED = 2000.0


@pytest.fixture
def workspace(zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZENFLOW_SPEED", str(int(SPEED)))
    assert zenflow("init").status == 0
    return here


class Live:
    """Servers by name, each a sandbox of its own; to zenflow they are live ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.accounts: dict[str, str] = {}
        self.faults: Path | None = None

    @asynccontextmanager
    async def open_provider(self, settings: Settings, clock: Clock) -> AsyncIterator[Provider]:
        name = settings.server.removeprefix("https://").split(".")[0]
        account_id = self.accounts.get(name, f"account-of-{name}")
        state = self.folder / f"{name}-{account_id}"
        state.mkdir(exist_ok=True)
        sandbox = SandboxSettings(speed=SPEED, state_dir=state, account_id=account_id, faults=self.faults)
        http = in_process(build_app(sandbox))
        async with McpProvider(wiring.IN_PROCESS_URL, clock=clock, http=http, server=settings.server) as provider:
            yield provider


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Live:
    servers = Live(tmp_path)
    monkeypatch.setattr(wiring, "WATCH_LEAST_S", 0.02)
    monkeypatch.setenv("ZENFLOW_REQUESTS_PER_SECOND", "1000")
    monkeypatch.setattr(wiring, "open_provider", servers.open_provider)
    return servers


ONE = ("--server", "https://one.invalid/mcp")


def schema(name: str) -> Any:
    return json.loads((Path(__file__).parents[2] / "schemas" / f"{name}.schema.json").read_text())


def instances(document: Mapping[str, Any], step: str) -> list[str]:
    return [instance["status"] for instance in document["steps"][step]["instances"]]


# ----------------------------------------------------------------------------------------------------------------- plan


def test_a_plan_is_shown_whole(zenflow: Zenflow, workspace: Path) -> None:
    answer = zenflow("plan", "first")
    assert (answer.status, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == "sandbox · pictures are drawn, no credits"
    assert lines[-2:] == [
        "Fits: at most 6 credits, within the budget of 30 (recipe) and the balance of",
        "1000.",
    ]
    rows = {line.split()[0]: line.split() for line in lines[4:12]}
    assert rows["edit"] == ["edit", "image_editor", "·", "SEEDREAM_5", "2", "~1", "2", "2", "2"]
    assert rows["total"] == ["total", "2–4", "paid", "2", "6", "6"]


def test_writes_plan_json_of_the_published_schema(zenflow: Zenflow, workspace: Path) -> None:
    answer = zenflow("plan", "first", "--json", "--detailed-exitcode")
    assert answer.status == 10
    document = answer.document
    jsonschema.validate(document, schema("plan"))
    assert list(document)[:3] == ["format", "status", "error"]
    assert (document["verdict"], document["budget"], document["balance"]) == ("fits", 30, 1000)
    assert document["credits"] == {"low": 2, "expected": 6, "worst": 6}


def test_refuses_an_over_budget_plan_under_the_smaller_cap(
    zenflow: Zenflow, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENFLOW_BUDGET_PER_RUN", "4")
    answer = zenflow("plan", "first", "--budget", "20", "--json")
    assert answer.status == 3
    document = answer.document
    jsonschema.validate(document, schema("plan"))
    assert (document["status"], document["verdict"], document["budget"]) == ("refused", "over", 4)
    assert document["error"]["message"] == (
        "Over: 6 credits are expected, 2 more than the budget of 4 (ZENFLOW_BUDGET_PER_RUN)."
    )
    assert document["ways_out"]


def test_joins_recipe_and_input_problems_in_one_error(zenflow: Zenflow, workspace: Path) -> None:
    answer = zenflow("plan", "first", "-i", "photo=nowhere.jpg", "-i", "lookz=[a]", "--json")
    assert answer.status == 2
    document = answer.document
    jsonschema.validate(document, schema("plan"))
    assert (document["status"], len(document["problems"])) == ("invalid", 2)


# ------------------------------------------------------------------------------------------------------------------ run


def test_a_run_saves_its_files_and_charges_what_was_planned(zenflow: Zenflow, workspace: Path) -> None:
    answer = zenflow("run", "first", "--json")
    assert answer.status == 0
    document = answer.document
    jsonschema.validate(document, schema("run"))
    assert document["status"] == "done" and document["error"] is None
    assert document["credits"]["charged"] == document["credits"]["planned"]["expected"] == 6
    assert document["balance"] == {"before": 1000, "after": 994}
    assert instances(document, "enlarge") == ["done", "done"]
    out = workspace / "out" / document["run_id"]
    assert sorted(Path(file["path"]).name for file in document["files"]) == ["street-style.png", "studio-portrait.png"]
    assert all((out / file["path"]).stat().st_size == file["bytes"] for file in document["files"])

    manifest = json.loads((out / "manifest.json").read_text())
    told = {file["path"]: file for file in manifest["files"]}["street-style.png"]
    assert told["step"] == "enlarge" and told["tool"] == "upscaler"
    assert told["prompt"] == "street style, the same subject, natural light"
    assert told["model"] == "SEEDREAM_5"
    assert told["made_from"][0]["item"] == "street style"
    assert told["credits"] == 2


def test_the_looks_agree_with_the_run(zenflow: Zenflow, workspace: Path) -> None:
    ran = zenflow("run", "first", "--json", "--out", "pictures").document
    assert (workspace / "pictures" / "street-style.png").is_file()

    listed = zenflow("runs", "--json").document
    jsonschema.validate(listed, schema("runs"))
    assert [(row["run_id"], row["status"]) for row in listed["runs"]] == [(ran["run_id"], "done")]

    shown = zenflow("show", ran["run_id"][:13], "--json").document
    jsonschema.validate(shown, schema("run"))
    view = shown.pop("view")
    assert {**shown, "balance": None} == {**ran, "balance": None}
    assert (view["run_id"], view["credits"]["charged"]) == (ran["run_id"], 6)

    text = zenflow("show").out
    assert "Saved 2 files (2.1 MB) in pictures\nSpent 6 credits, planned 6, budget 30; balance 994\n" in text
    ledger = zenflow("ledger", "--check", "--json").document
    assert ledger["status"] == "done" and ledger["totals"]["spent"] == 6
    assert all(row["difference"] == 0 for row in ledger["submissions"])
    assert zenflow("ledger", "--csv").out.startswith(
        "run,server,labels,recipe,version,digest,submission,at,instance,try,"
    )


def test_refuses_an_over_budget_run_with_its_plan(zenflow: Zenflow, workspace: Path) -> None:
    answer = zenflow("run", "first", "--budget", "4", "--yes")
    assert (answer.status, answer.out) == (3, "")
    assert "image_editor · SEEDREAM_5" in answer.err
    assert "error: Over: 6 credits are expected, 2 more than the budget of 4" in answer.err
    assert "[ZF661]" in answer.err
    assert zenflow("runs").out == "No runs yet. `zenflow run RECIPE` starts one.\n"
    assert not (workspace / "out").exists()


def test_a_dry_run_is_the_plan(zenflow: Zenflow, workspace: Path) -> None:
    def without_time(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "priced_at": None, "steps": [{**step, "priced_at": None} for step in document["steps"]]}

    dry, planned = zenflow("run", "first", "--dry-run", "--json"), zenflow("plan", "first", "--json")
    assert without_time(dry.document) == without_time(planned.document)


def test_reports_an_unwritable_folder_before_the_run(zenflow: Zenflow, workspace: Path) -> None:
    (workspace / "taken").write_text("")
    answer = zenflow("run", "first", "--out", "taken/inside")
    assert answer.status == 2
    assert "[ZF031]" in answer.err and "→ Name another folder with `--out DIR`." in answer.err
    assert zenflow("runs", "--json").document["total"] == 0


# -------------------------------------------------------------------------------------------------------------- consent


def test_refuses_a_live_server_without_terminal_or_yes(zenflow: Zenflow, workspace: Path, live: Live) -> None:
    answer = zenflow("run", "first", *ONE)
    assert (answer.status, answer.out) == (3, "")
    assert "[ZF666]" in answer.err and "→ Say `--yes` to agree to that beforehand." in answer.err
    assert zenflow("account", *ONE, "--json").document["credits"] == 1000


def test_yes_agrees_and_the_first_line_names_the_server(zenflow: Zenflow, workspace: Path, live: Live) -> None:
    answer = zenflow("run", "first", *ONE, "--yes")
    assert answer.status == 0
    assert answer.err.startswith("https://one.invalid/mcp · credits are that server's\n")


@pytest.mark.parametrize(("said", "status"), [("n\n", 3), ("\n", 3), ("", 3), ("y\n", 0)])
def test_on_a_terminal_the_price_is_asked_for(
    zenflow: Zenflow, workspace: Path, live: Live, monkeypatch: pytest.MonkeyPatch, said: str, status: int
) -> None:
    monkeypatch.setattr(Console, "can_ask", property(lambda self: True))
    monkeypatch.setattr(questions.sys, "stdin", io.StringIO(said))
    answer = zenflow("run", "first", *ONE)
    assert answer.status == status
    assert "Spend up to 6 credits on https://one.invalid/mcp? [y/N] " in answer.err
    if status:
        assert "Not agreed to. Nothing was spent. [ZF665]" in answer.err


# --------------------------------------------------------------------------------------------------------------- resume


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The next run hears Ctrl-C as soon as it has begun."""

    def arm() -> None:
        begin = _Guard.begin

        def begin_and_interrupt(guard: _Guard, run_id: str, out_dir: Path) -> None:
            begin(guard, run_id, out_dir)
            signal.raise_signal(signal.SIGINT)
            monkeypatch.setattr(_Guard, "begin", begin)

        monkeypatch.setattr(_Guard, "begin", begin_and_interrupt)

    return arm


def test_drains_with_130_on_ctrl_c_and_resumes_once_charged(
    zenflow: Zenflow, workspace: Path, interrupted: Callable[[], None]
) -> None:
    interrupted()
    stopped = zenflow("run", "first", "--json")
    assert stopped.status == 130
    document = stopped.document
    jsonschema.validate(document, schema("run"))
    assert document["status"] == "interrupted"
    run_id = document["run_id"]
    assert document["error"] == {
        "code": "ZF090",
        "message": "The run is interrupted.",
        "hint": f"`zenflow resume {run_id}` goes on.",
    }
    again = f"(Ctrl-C again leaves at once; `zenflow resume {run_id}` goes on)"
    assert again in " ".join(stopped.err.split())

    resumed = zenflow("resume", "--json")
    assert resumed.status == 0
    assert resumed.document["run_id"] == run_id
    assert resumed.document["credits"]["charged"] == 6
    assert zenflow("account", "--json").document["credits"] == 994
    again = zenflow("resume")
    assert (again.status, "[ZF041]" in again.err) == (2, True)


def test_a_resume_on_another_server_or_account_is_refused(
    zenflow: Zenflow, workspace: Path, live: Live, interrupted: Callable[[], None]
) -> None:
    interrupted()
    assert zenflow("run", "first", *ONE, "--yes").status == 130
    other = zenflow("resume", "--server", "https://two.invalid/mcp", "--yes")
    assert (other.status, "[ZF667]" in other.err) == (3, True)
    live.accounts["one"] = "somebody-else"
    stranger = zenflow("resume", "--yes")
    assert (stranger.status, "[ZF668]" in stranger.err) == (3, True)
    del live.accounts["one"]
    assert zenflow("resume", "--yes").status == 0


def test_prices_the_next_command_below_failures(zenflow: Zenflow, workspace: Path, live: Live, tmp_path: Path) -> None:
    live.faults = tmp_path / "faults.json"
    live.faults.write_text(
        json.dumps([{"kind": "call_fails", "tool_name": "upscaler", "nth": 1, "calls": [0], "refund": "now"}])
    )
    answer = zenflow("run", "first", *ONE, "--yes", "--quiet")
    assert answer.status == 1
    lines = answer.out.splitlines()
    assert "1 failure" in lines
    assert any(line.startswith("  enlarge.") for line in lines)
    run_id = zenflow("runs", "--json").document["runs"][0]["run_id"]
    assert lines[-1].startswith(f"→ zenflow resume {run_id} · about ")
    document = zenflow("show", "--json").document
    assert sorted(instances(document, "enlarge")) == ["done", "failed"]
    assert len(document["files"]) == 1

    live.faults = None
    resumed = zenflow("resume", "--yes")
    assert resumed.status == 0
    assert "1 failed instance will be made again:" in resumed.err
    document = zenflow("show", "--json").document
    assert instances(document, "enlarge") == ["done", "done"]
    assert len(document["files"]) == 2


def test_a_stop_from_another_terminal_drains(
    zenflow: Zenflow, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = _Guard.begin

    def begin_and_ask(guard: _Guard, run_id: str, out_dir: Path) -> None:
        begin(guard, run_id, out_dir)
        wiring.open_journal(settings_here(ServerOptions()), wiring.clock()).request_stop(run_id)

    monkeypatch.setattr(running, "STOP_LOOK_S", 0.0)
    monkeypatch.setattr(_Guard, "begin", begin_and_ask)
    answer = zenflow("run", "first", "--json")
    assert (answer.status, answer.document["status"]) == (130, "interrupted")


def test_a_run_that_is_not_there_is_told_with_what_is(zenflow: Zenflow, workspace: Path) -> None:
    answer = zenflow("show", "2020")
    assert answer.status == 2
    assert answer.err.startswith("error: ")


def test_a_stop_from_another_terminal_says_when_nobody_works(zenflow: Zenflow, workspace: Path) -> None:
    run_id = zenflow("run", "first", "--json").document["run_id"]
    assert zenflow("stop", run_id).out == f"Nobody works on {run_id}: it is done.\n"
    nobody = zenflow("stop")
    assert (nobody.status, "No run is going. [ZF040]" in nobody.err) == (2, True)


def test_names_a_run_by_prefix_or_last_letters(zenflow: Zenflow, workspace: Path) -> None:
    run_id: str = zenflow("run", "first", "--json").document["run_id"]
    for word in (run_id[:4], run_id.rpartition("-")[2], "last"):
        assert zenflow("show", word, "--json").document["run_id"] == run_id
    nobody = zenflow("show", "nope").err
    assert (
        nobody == f"error: There is no run `nope`. The newest: {run_id} [ZF810]\n→ `zenflow runs` lists all of them.\n"
    )


def test_a_recipe_without_a_version_is_titled_by_its_name_alone(zenflow: Zenflow, workspace: Path) -> None:
    path = workspace / "recipes" / "first.yaml"
    path.write_text(path.read_text().replace("version: 1.0.0\n", ""))
    assert "\nfirst: One photo in" in zenflow("plan", "first").out
    ran = zenflow("run", "first").out
    assert "\nfirst · run " in ran and "first  " not in ran
    assert "\nfirst · revision " in zenflow("ledger").out
    assert zenflow("ledger", "--all").out.startswith("first · revision ")
    [manifest] = workspace.glob("out/2*/manifest.json")
    assert json.loads(manifest.read_text())["recipe"] == "first"


def test_says_there_is_no_run_yet(zenflow: Zenflow, workspace: Path) -> None:
    answer = zenflow("show")
    assert (answer.status, answer.err) == (
        2,
        "error: There is no run here yet [ZF810]\n→ Start one: `zenflow run RECIPE`.\n",
    )


def test_a_resume_of_what_is_done_says_that_nothing_was_left(zenflow: Zenflow, workspace: Path) -> None:
    run_id = zenflow("run", "first", "--json").document["run_id"]
    again = zenflow("resume", run_id)
    assert (again.status, again.err) == (0, f"{run_id} is done: there was nothing to go on with.\n\n")


async def _leave_alone(run_id: str) -> None:
    """A run begun like `run_id`, and nobody there who works on it."""
    journal = wiring.open_journal(settings_here(ServerOptions()), wiring.clock())
    begun = next(event for event in journal.events(run_id) if isinstance(event, RunStarted))
    lease = journal.take_lease("left-alone")
    await journal.append(lease, [replace(begun, run_id="left-alone")])
    journal.release_lease(lease)
    await journal.close()


def test_shows_a_run_with_a_dead_process_as_interrupted(zenflow: Zenflow, workspace: Path) -> None:
    asyncio.run(_leave_alone(zenflow("run", "first", "--json").document["run_id"]))
    shown = zenflow("show", "left-alone")
    assert " · run left-alone · interrupted\n" in shown.out
    assert shown.out.splitlines()[-1].startswith("→ zenflow resume left-alone")
    document = zenflow("show", "left-alone", "--json").document
    assert (document["status"], document["error"]["hint"]) == ("interrupted", "`zenflow resume left-alone` goes on.")


@pytest.mark.parametrize("words", [("plan", "first"), ("run", "first", "--yes"), ("tools",), ("account",)])
def test_exits_3_with_checks_when_no_server_answers(zenflow: Zenflow, workspace: Path, words: tuple[str, ...]) -> None:
    answer = zenflow(*words, "--server", "http://127.0.0.1:9/mcp", "--json")
    error = answer.document["error"]
    assert (answer.status, answer.document["status"], error["code"]) == (3, "refused", "ZF701")
    assert "check the address" in error["hint"] and "resume" not in error["hint"]


def test_zencreator_without_a_token_says_how_to_give_one(zenflow: Zenflow, workspace: Path) -> None:
    answer = zenflow("account", "--server", "zencreator")
    assert (answer.status, "[ZF703]" in answer.err, "ZENFLOW_TOKEN" in answer.err) == (4, True, True)
