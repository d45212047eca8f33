"""The log: what `-v`, `-vv` and `--log-file` write, for people and programs, and that no secret is in it."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_what_is_loaded import RECIPE
from zenflow.cli.terminal.crash_log import redacted
from zenflow.cli.terminal.log import JsonLines, Lines, set_up
from zenflow.clock import SystemClock
from zenflow.errors import UsageError
from zenflow.history.codec import encode
from zenflow.journal.sqlite import open_journal
from zenflow.log_context import RUN, about_submission, hide
from zenflow.providers.mcp.tokens.source import StaticToken
from zenflow.providers.mcp.tokens.store import Grant

Zenflow = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_log() -> Iterator[None]:
    yield
    set_up(0, None, False)


@pytest.fixture
def fast(here: Path) -> Path:
    (here / "one.yaml").write_text(RECIPE)
    (here / "zenflow.toml").write_text("[service]\nspeed = 100000\n")
    return here


def _records(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_log_file_holds_every_event_of_the_run(zenflow: Zenflow, fast: Path) -> None:
    done = zenflow("run", "one.yaml", "--yes", "--json", "--log-file", "run.log", "--log-format", "json")
    assert done.status == 0 and "event" not in done.err
    records = _records(fast / "run.log")
    logged = [one for one in records if one["message"].startswith("event ")]
    journal = open_journal(fast / ".zenflow", clock=SystemClock(), read_only=True)
    events = [f"event {redacted(encode(event))}" for event in journal.events(done.document["run_id"])]
    journal.close_now()
    assert [one["message"] for one in logged] == events[1:] and len(events) > 5  # the first one begins the run
    assert {one["run_id"] for one in logged} == {done.document["run_id"]}
    facts = [json.loads(one["message"].removeprefix("event ")) for one in logged]
    assert [one["submission"] for one in logged] == [fact.get("submission") for fact in facts]
    assert any(one["logger"] == "zenflow.engine.payment.sender" and one["submission"] == 1 for one in records)


def test_one_v_logs_steps_and_two_log_everything(zenflow: Zenflow, fast: Path) -> None:
    brief = zenflow("run", "one.yaml", "--yes", "-v").err
    full = zenflow("run", "one.yaml", "--yes", "-vv").err
    assert " INFO " in brief and "DEBUG" not in brief and "send 1 calls of by_prompt" in brief
    assert "DEBUG" in full and "event {" in full
    assert re.search(r"POST http://\S+/mcp tools/call \w*create_task: answered 200, \d+ bytes, \d+ ms", full)


def test_nothing_is_logged_unless_you_ask(zenflow: Zenflow, fast: Path) -> None:
    done = zenflow("run", "one.yaml", "--yes")
    assert "INFO" not in done.err and not list(fast.glob("*.log"))


def test_log_that_cannot_be_written_is_an_error(zenflow: Zenflow, fast: Path) -> None:
    done = zenflow("runs", "--json", "--log-file", "nowhere/run.log")
    assert done.status == 2 and done.code == "ZF033"


@pytest.mark.skipif(os.name == "nt", reason="modes")
def test_only_the_user_may_read_a_log(zenflow: Zenflow, fast: Path) -> None:
    assert zenflow("runs", "--log-file", "run.log").status == 0
    assert (fast / "run.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("formatter", [Lines(), JsonLines()])
def test_secrets_are_masked_in_every_form(formatter: logging.Formatter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZENFLOW_TOKEN", "zen-of-the-environment")
    StaticToken("zen-of-a-source")
    Grant("https://x", "https://x/t", "c", "r", "zen-access", "zen-refresh", "zen-client")
    hide("zen-hidden")
    words = (
        "zen-of-the-environment zen-of-a-source zen-access zen-refresh zen-client zen-hidden "
        "Authorization: Bearer abc.def https://cdn.example/p.png?X-Signature=zen-signed data:image/png;base64,zenbytes"
    )
    try:
        raise ValueError("token=zen-in-an-error")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("zenflow.x", logging.INFO, __file__, 1, "%s", (words,), info)
    said = formatter.format(record)
    assert "zen-" not in said and "abc.def" not in said and "zenbytes" not in said
    assert "https://cdn.example/p.png?…" in said


def test_records_name_their_run_and_submission(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(1, None, True)
    log, about = logging.getLogger("zenflow.x"), RUN.set("the-run")
    with about_submission(7):
        log.info("inside")
    RUN.reset(about)
    log.info("outside")
    inside, outside = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (inside["run_id"], inside["submission"]) == ("the-run", 7)
    assert (outside["run_id"], outside["submission"]) == (None, None)


def test_a_log_file_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the log"):
        set_up(0, tmp_path, False)
