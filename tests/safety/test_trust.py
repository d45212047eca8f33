"""Trust is given by the operator, never by a file: a received folder, plan or journal sends nothing by itself."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.safety.hostile_git import RECIPE
from tests.safety.trap import Trap, trap
from tests.wire.conftest import sandbox
from zenflow.cli.terminal.console import Console
from zenflow.plan.output.plan_file import content_digest

pytestmark = pytest.mark.slow

Zenflow = Callable[..., Any]
NO_WAY = "ZF680"
UPLOAD = """\
zenflow: 1
name: up
version: 1.0.0
budget: 5
inputs: {photo: {type: image}}
steps:
  up: {uses: upload, with: {source: "${{ inputs.photo }}"}}
  big: {uses: upscaler, with: {image_asset_id: "${{ steps.up.asset_id }}", output_format: png}}
"""


@pytest.fixture
def evil() -> Iterator[Trap]:
    with trap() as found:
        yield found


@pytest.fixture
def mine(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of the operator's, with a token and a private picture beside it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ZENFLOW_TOKEN", "T")
    (tmp_path / "home").mkdir()
    Image.new("RGB", (600, 600), "red").save(tmp_path / "home" / "private.png")
    (here / "r.yaml").write_text(RECIPE)
    (here / "up.yaml").write_text(UPLOAD)
    return here


def names_server(folder: Path, url: str, more: str = "") -> None:
    (folder / "zenflow.toml").write_text(f'[service]\nserver = "{url}"\n{more}')


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def forbid() -> None:
        def network(*words: Any, **names: Any) -> Any:
            raise AssertionError("a connection was opened")

        monkeypatch.setattr("zenflow.providers.mcp.wire.http.network", network)

    return forbid


def at_terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(Console, "can_ask", property(lambda self: True))
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))


# --- zenflow.toml ----------------------------------------------------------------------------------------------------

COMMANDS = [
    ("validate", "r.yaml"),
    ("plan", "r.yaml"),
    ("run", "r.yaml", "--yes"),
    ("diff", "r.yaml", "r.yaml"),
    ("account",),
    ("tools",),
    ("schema",),
    ("tasks",),
    ("presets",),
    ("prices",),
    ("login", "--no-browser"),
    ("fetch", "--stamp", "a" * 24),
    ("assets", "0b0e3b9e-6b8f-4f0e-9a53-0c2f4d6b8a10"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("above", [0, 2])
def test_a_received_folder_sends_nothing(
    zenflow: Zenflow, mine: Path, evil: Trap, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], above: int
) -> None:
    names_server(mine, evil.url)
    inner = mine / "a" / "b" if above else mine
    inner.mkdir(parents=True, exist_ok=True)
    shutil.copy(mine / "r.yaml", inner / "copy.yaml")
    (inner / "r.yaml").write_text(RECIPE)
    monkeypatch.chdir(inner)
    answer = zenflow(*command)
    assert evil.seen == []
    assert answer.status in (2, 3) and "T" not in answer.out.split(), answer.out + answer.err
    if answer.status == 2:
        assert "no option" in answer.err or "ZF003" in answer.err
    else:
        assert NO_WAY in answer.err, answer.err


def test_doctor_of_a_received_folder_sends_nothing(zenflow: Zenflow, mine: Path, evil: Trap) -> None:
    names_server(mine, evil.url)
    answer = zenflow("doctor")
    assert evil.seen == [] and answer.status != 70 and "untrusted" in answer.out + answer.err


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_server_that_you_name_gets_the_token(
    zenflow: Zenflow, mine: Path, evil: Trap, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The trap notices what the tests above would miss if it did not."""
    if how == "environment":
        monkeypatch.setenv("ZENFLOW_SERVER", evil.url)
    zenflow("account", *(["--server", evil.url] if how == "option" else []))
    assert evil.tokens == {"Bearer T"}


def test_a_server_is_confirmed_once_and_can_be_forgotten(zenflow: Zenflow, mine: Path, evil: Trap) -> None:
    names_server(mine, evil.url)
    assert zenflow("trust").status == 3
    granted = zenflow("trust", "--yes", "--json").document["granted"]
    assert [row["value"] for row in granted] == [evil.url]
    zenflow("account")
    assert evil.tokens == {"Bearer T"}
    assert evil.url in zenflow("trust", "--list").out
    assert zenflow("trust", "--remove", evil.url).status == 0
    evil.seen.clear()
    assert zenflow("account", "--json").code == NO_WAY and evil.seen == []
    assert zenflow("trust", "--remove", evil.url).status == 2


@pytest.mark.parametrize(("answer", "asked"), [("y\n", True), ("n\n", False), ("", False), ("\n", False)])
def test_the_question_shows_the_server(
    zenflow: Zenflow, mine: Path, evil: Trap, monkeypatch: pytest.MonkeyPatch, answer: str, asked: bool
) -> None:
    names_server(mine, evil.url)
    at_terminal(monkeypatch, answer)
    said = zenflow("account")
    assert evil.url in said.err and "zenflow.toml:2" in said.err and "token" in said.err
    assert bool(evil.seen) is asked
    assert (evil.url in (mine.parent / "config" / "zenflow" / "trust.json").read_text()) if asked else True


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ('[output]\ndir = "../elsewhere"\n', "elsewhere"),
        ('[policy]\nnsfw = "allow"\n', "nsfw = allow"),
        ("[limits]\nlost_answer_wait = 0\n", "lost_answer_wait = 0"),
    ],
)
def test_what_a_folder_loosens_is_confirmed_first(
    zenflow: Zenflow, mine: Path, evil: Trap, setting: str, shown: str
) -> None:
    (mine / "zenflow.toml").write_text(setting)
    answer = zenflow("run", "r.yaml", "--server", evil.url, "--yes")
    assert answer.status == 3 and shown in answer.err and evil.seen == [], answer.err
    assert zenflow("trust", "--yes", "--server", evil.url).status == 0
    zenflow("account", "--server", evil.url)
    assert evil.seen


def test_a_confirmation_is_for_one_folder(
    zenflow: Zenflow, mine: Path, evil: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (mine, tmp_path / "other"):
        folder.mkdir(exist_ok=True)
        (folder / "zenflow.toml").write_text('[policy]\nnsfw = "allow"\n')
    assert zenflow("trust", "--yes", "--server", evil.url).status == 0
    monkeypatch.chdir(tmp_path / "other")
    assert zenflow("account", "--server", evil.url, "--json").code == NO_WAY


def test_a_workspace_of_another_user_is_refused(zenflow: Zenflow, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names_server(mine, "sandbox")
    inner = mine / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert zenflow("config").status == 0
    monkeypatch.setattr(os, "geteuid", lambda: mine.stat().st_uid + 1)
    os.chown(mine / "zenflow.toml", mine.stat().st_uid + 7, -1) if os.getuid() == 0 else None
    answer = zenflow("config", "--json")
    assert (answer.status, answer.code) == (2, "ZF035")
    monkeypatch.chdir(mine)
    assert zenflow("config").status == 0


def test_a_token_with_a_host_goes_to_no_other(
    zenflow: Zenflow, mine: Path, evil: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENFLOW_TOKEN_HOST", "mcp.example.org")
    assert zenflow("account", "--server", evil.url, "--json").code == "ZF716"
    assert evil.seen == []
    monkeypatch.setenv("ZENFLOW_TOKEN_HOST", "127.0.0.1")
    zenflow("account", "--server", evil.url)
    assert evil.tokens == {"Bearer T"}


# --- a saved plan ----------------------------------------------------------------------------------------------------


def stranger_s(plan: Path, **changes: Any) -> None:
    """The plan as a stranger would hand it over: changed, its digest made good again."""
    document = {**json.loads(plan.read_text()), **changes}
    document.pop("made_by", None)
    plan.write_text(json.dumps({**document, "digest": content_digest(document)}))


@pytest.fixture
def saved(zenflow: Zenflow, mine: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A plan that uploads a picture from outside its folder, and the address of the server that it is for."""
    monkeypatch.delenv("ZENFLOW_TOKEN")
    with sandbox() as town:
        words = ("up.yaml", "-i", "photo=../home/private.png", "--server", town.url)
        answer = zenflow("plan", *words, "-o", "plan.json")
        assert answer.status == 0, answer.err
        yield mine / "plan.json", town.url


def test_your_own_plan_runs_without_a_question(zenflow: Zenflow, saved: tuple[Path, str]) -> None:
    assert zenflow("run", "--plan", "plan.json").status == 0


def test_a_stranger_s_plan_sends_nothing(
    zenflow: Zenflow, saved: tuple[Path, str], no_network: Callable[[], None]
) -> None:
    stranger_s(saved[0])
    no_network()
    answer = zenflow("run", "--plan", "plan.json", "--yes")
    assert answer.status == 3 and NO_WAY in answer.err
    assert saved[1] in answer.err


def test_a_stranger_s_plan_uploads_no_file_from_elsewhere(
    zenflow: Zenflow, saved: tuple[Path, str], no_network: Callable[[], None]
) -> None:
    """Also where you name its server yourself, and where its own list of files leaves one out."""
    stranger_s(saved[0], input_files=[])
    document = json.loads(saved[0].read_text())
    document["inputs"]["photo"] = str(saved[0].parent.parent / "home" / "private.png")
    stranger_s(saved[0], inputs=document["inputs"])
    no_network()
    answer = zenflow("run", "--plan", "plan.json", "--yes", "--server", saved[1], "--json")
    assert (answer.status, answer.code) == (3, NO_WAY), answer.err
    assert "private.png" in json.dumps(answer.document["claims"])


def test_a_stranger_s_plan_is_asked_about_like_a_run(zenflow: Zenflow, saved: tuple[Path, str]) -> None:
    """With its server named and its files confirmed, there is still a price to agree to."""
    stranger_s(saved[0])
    assert zenflow("trust", "plan.json", "--yes").status == 0
    answer = zenflow("run", "--plan", "plan.json", "--json")
    assert (answer.status, answer.code) == (3, "ZF666")
    assert zenflow("run", "--plan", "plan.json", "--yes").status == 0


def test_a_changed_plan_of_yours_is_a_stranger_s(zenflow: Zenflow, saved: tuple[Path, str]) -> None:
    document = {**json.loads(saved[0].read_text()), "budget": 4}
    saved[0].write_text(json.dumps({**document, "digest": content_digest(document)}))
    assert zenflow("run", "--plan", "plan.json", "--json").code == NO_WAY


# --- a journal -------------------------------------------------------------------------------------------------------


CHOOSE = """\
  choose: {uses: pick, with: {asset_ids: "${{ [steps.big.asset_id, steps.up.asset_id] }}", question: Which one?}}
  last: {uses: upload, with: {source: "${{ inputs.later }}"}}
  save: {uses: download, with: {asset_ids: "${{ steps.choose.asset_ids }}"}}
"""


@pytest.fixture
def left(zenflow: Zenflow, mine: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The id of a run that waits for a choice, and its server. Its files go elsewhere, its picture comes from elsewhere."""
    monkeypatch.delenv("ZENFLOW_TOKEN")
    text = UPLOAD.replace("inputs: {photo", "inputs: {later: {type: image}, photo") + CHOOSE
    (mine / "up.yaml").write_text(text)
    with sandbox() as town:
        files = ("-i", "photo=../home/private.png", "-i", "later=../home/private.png", "--out", "../home/out")
        answer = zenflow("run", "up.yaml", *files, "--server", town.url, "--yes", "--json")
        assert answer.status == 4, answer.err + answer.out
        yield answer.document["run_id"], town.url


def test_your_own_run_goes_on_without_a_question(zenflow: Zenflow, left: tuple[str, str]) -> None:
    """Its server was named on the command line of the run; the resume takes it from the journal."""
    answer = zenflow("resume", "--pick", "choose=1", "--yes")
    assert answer.status == 0, answer.err


@pytest.mark.parametrize("words", [("resume", "--yes"), ("fetch",), ("ledger", "--check"), ("reconcile", "--json")])
def test_a_received_journal_sends_nothing_and_writes_nothing(
    zenflow: Zenflow,
    left: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_network: Callable[[], None],
    words: tuple[str, ...],
) -> None:
    """Another user's configuration: the run was not made by whoever resumes it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody"))
    before = sorted((tmp_path / "home").rglob("*"))
    no_network()
    answer = zenflow(words[0], left[0], *words[1:])
    assert answer.status == 3 and NO_WAY in answer.err, answer.err
    assert sorted((tmp_path / "home").rglob("*")) == before


def test_a_received_journal_takes_no_file_from_elsewhere(
    zenflow: Zenflow, left: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where you name its server yourself. What you confirm is the run as it is: a changed one is asked about again."""
    run_id, url = left
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody"))
    words = ("resume", run_id, "--pick", "choose=1", "--yes", "--server", url)
    answer = zenflow(*words, "--json")
    assert (answer.status, answer.code) == (3, NO_WAY)
    (claim,) = answer.document["claims"]
    assert claim["kind"] == "run" and any("private.png" in one for one in claim["details"])
    assert any("home/out" in one for one in claim["details"])
    assert zenflow("trust", run_id, "--yes", "--server", url).status == 0
    assert zenflow(*words).status == 0


def test_a_received_journal_of_the_folder_alone_goes_on(
    zenflow: Zenflow, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run begun by an older zenflow has no mark: where it stays in its folder, on a server that you name, it goes on."""
    monkeypatch.delenv("ZENFLOW_TOKEN")
    shutil.copy(tmp_path / "home" / "private.png", mine / "photo.png")
    (mine / "up.yaml").write_text(UPLOAD + CHOOSE.replace("inputs.later", "inputs.photo"))
    with sandbox() as town:
        first = zenflow("run", "up.yaml", "-i", "photo=photo.png", "--server", town.url, "--yes", "--json")
        assert first.status == 4
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody"))
        assert zenflow("resume", "--pick", "choose=1", "--yes", "--server", town.url).status == 0
