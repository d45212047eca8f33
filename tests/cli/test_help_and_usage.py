"""The front page, words that are none, and what one wrong word costs: a message, a hint, a status, one document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from zenflow import __version__
from zenflow.cli.command_index import COMMANDS

Zenflow = Callable[..., Any]

EVERYDAY = """\
zenflow runs a recipe: pictures and video from ZenCreator, priced beforehand,
within a budget.

Usage: zenflow COMMAND [WORDS] [OPTIONS]

  init       Make a first workspace that works
  validate   Check a recipe; nothing is sent that costs
  plan       Show what a run would do and cost
  run        Plan, ask, and do it within the budget
  resume     Go on with a run; nothing is paid twice

"""
CLOSING = """
Options:
  --version  The version alone
  --help     This page, or a command's

`zenflow COMMAND --help` tells the rest. A first try, free of charge:

  zenflow init my-shoot && cd my-shoot && zenflow run first
"""


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_shows_five_everyday_commands_first(zenflow: Zenflow, words: tuple[str, ...]) -> None:
    answer = zenflow(*words)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith(EVERYDAY) and answer.out.endswith(CLOSING)
    named = answer.out[len(EVERYDAY) : -len(CLOSING)].split()
    assert [word for word in named if word.endswith(":")] == ["Look:", "Money:", "Service:", "Author:"]
    others = [word for word in named if word != "·" and not word.endswith(":")]
    assert sorted(others) == sorted(name for name, entry in COMMANDS.items() if entry.group != "Everyday")
    assert max(map(len, answer.out.splitlines())) <= 80


def test_help_with_a_command_is_that_command_s_page(zenflow: Zenflow) -> None:
    assert zenflow("help", "plan") == zenflow("plan", "--help")


def test_help_with_a_word_that_is_no_command_says_so(zenflow: Zenflow) -> None:
    answer = zenflow("help", "plam")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == "error: There is no command `plam`. [ZF001]\n→ Did you mean `plan`?\n"


def test_completes_commands_with_their_help_lines() -> None:
    words = {"_ZENFLOW_COMPLETE": "zsh_complete", "COMP_WORDS": "zenflow pr", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "zenflow"], capture_output=True, text=True, check=False, env={**os.environ, **words}
    )
    expected = [line for name in ("prices", "presets") for line in ("plain", name, COMMANDS[name].line)]
    assert done.stdout.split("\n")[:-1] == expected


def test_the_version_alone(zenflow: Zenflow) -> None:
    answer = zenflow("--version")
    assert (answer.status, answer.out) == (0, f"zenflow {__version__}\n")


def test_the_front_page_loads_no_click_and_no_room() -> None:
    code = (
        "import sys\n"
        "from zenflow.cli.main import run\n"
        "run(['--help']); run(['--version'])\n"
        "loaded = [name for name in sys.modules if name.split('.')[0] in ('click', 'rich', 'mcp', 'asyncio')]\n"
        "rooms = [name for name in sys.modules if name.startswith('zenflow.') and not name.startswith('zenflow.cli')]\n"
        "assert not loaded and not rooms, (loaded, rooms)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_that_loads_no_heavy_library(zenflow: Zenflow, name: str) -> None:
    assert isinstance(import_module(COMMANDS[name].module).command, click.Command)
    answer = zenflow(name, "--help")
    assert answer.status == 0
    assert answer.out.startswith(f"Usage: zenflow {name} ")


def test_loads_no_protocol_and_no_pictures_for_command_help() -> None:
    code = (
        "import sys\n"
        "from zenflow.cli.main import run\n"
        f"for name in {list(COMMANDS)!r}: run([name, '--help'])\n"
        "heavy = {'mcp', 'httpx2', 'jinja2', 'jsonschema', 'PIL', 'rich', 'networkx', 'sqlite3', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_python_m_zenflow_is_the_same_command() -> None:
    done = subprocess.run([sys.executable, "-m", "zenflow", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"zenflow {__version__}\n")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("rnu", "x"), "There is no command `rnu`. [ZF001]", "Did you mean `run`?"),
        (("qqqq",), "There is no command `qqqq`. [ZF001]", "`zenflow --help` lists the commands."),
        (("plan", "x", "--buget", "3"), "`zenflow plan` has no option `--buget`. [ZF002]", "Did you mean `--budget`?"),
        (
            ("graph", "x", "--yes"),
            "`zenflow graph` has no option `--yes`. [ZF002]",
            "`zenflow graph --help` lists its options.",
        ),
        (
            ("--quiet", "runs"),
            "`--quiet` stands before the command. [ZF002]",
            "Options follow the command: `zenflow COMMAND … --option`.",
        ),
        (("diff", "x"), "Missing argument 'B'. [ZF003]", "`zenflow diff --help` shows how it is written."),
        (
            ("run", "x", "-i", "photo"),
            "`-i photo` does not name an input. [ZF004]",
            "Write `-i name=value`, or `-i name=@file` to read a file.",
        ),
        (("run", "x", "--budget", "lots"), "`--budget lots` is no number of credits. [ZF005]", "Write `--budget 60`."),
        (
            ("run", "x", "--max", "a=-1"),
            "`--max a=-1` does not say how many of which step. [ZF006]",
            "Write `--max upscale=8`.",
        ),
        (
            ("run", "x", "--pick", "choose=0"),
            "`--pick choose=0` does not say which of which step. [ZF007]",
            "Write `--pick choose=1,3`, counted from 1.",
        ),
        (
            ("run", "x", "--pick", "choose.b=1"),
            "`--pick choose.b=1` does not say which of which step. [ZF007]",
            "Write `--pick choose=1,3`, counted from 1.",
        ),
    ],
)
def test_wrong_usage_is_told_with_the_next_step_and_status_2(
    zenflow: Zenflow, words: tuple[str, ...], message: str, hint: str
) -> None:
    answer = zenflow(*words)
    assert (answer.status, answer.out, answer.err) == (2, "", f"error: {message}\n→ {hint}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("faults: [{kind: dorp}]", "f.yaml is no file of mishaps: fault 0: unknown kind of fault 'dorp'"),
        (
            "faults: [{kind: drop, tool: create_tsk}]",
            "f.yaml: fault 0 waits for `create_tsk`, and there is no such tool.",
        ),
        ("faults: [", "f.yaml is no file of mishaps: it is not YAML"),
        (None, "f.yaml cannot be read: No such file or directory."),
    ],
)
def test_a_sandbox_is_not_begun_with_mishaps_that_cannot_be(
    zenflow: Zenflow, here: Path, text: str | None, message: str
) -> None:
    if text is not None:
        (here / "f.yaml").write_text(text)
    answer = zenflow("sandbox", "--port", "0", "--faults", "f.yaml", "--json")
    assert (answer.status, answer.code) == (2, "ZF067")
    assert answer.message.startswith(message)


def test_a_sandbox_with_an_empty_token_is_not_begun_open_to_all(zenflow: Zenflow) -> None:
    answer = zenflow("sandbox", "--port", "0", "--auth", "token", "--token", "", "--json")
    assert (answer.status, answer.message) == (2, "`--token` is empty.")


def test_with_json_wrong_usage_is_one_document_too(zenflow: Zenflow) -> None:
    answer = zenflow("runs", "--lmit", "3", "--json")
    assert answer.status == 2
    assert json.loads(answer.out) == {
        "format": 1,
        "status": "invalid",
        "error": {
            "code": "ZF002",
            "message": "`zenflow runs` has no option `--lmit`.",
            "hint": "Did you mean `--limit`?",
        },
    }


@pytest.mark.parametrize("name", ["plan", "run", "validate"])
def test_where_no_recipe_is_named_those_that_are_here_are(zenflow: Zenflow, here: Path, name: str) -> None:
    (here / "recipes").mkdir()
    for file in ("second.yaml", "first.yml", "first.test.yaml", "notes.txt"):
        (here / "recipes" / file).write_text("", encoding="utf-8")
    said = zenflow(name)
    assert said.status == 2
    assert f"There are: first, second. For example `zenflow {name} first`." in said.err


def test_json_behind_two_dashes_is_no_option(zenflow: Zenflow) -> None:
    assert zenflow("graph", "--", "--json").out == ""


def test_a_defect_is_one_sentence_with_a_log_and_no_traceback(
    zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zenflow.app.queries import runs as look

    def broken(*_: object) -> None:
        raise RuntimeError("Bearer abc.def at https://files.invalid/x.png?sig=123")

    (here / ".zenflow").mkdir()
    monkeypatch.setenv("ZENFLOW_TOKEN", "abc-secret")
    monkeypatch.setattr(look, "run_lines", broken)
    answer = zenflow("runs", "--json")
    assert answer.status == 70
    assert answer.document["status"] == "defect"
    assert answer.document["error"]["code"] == "ZF900"
    assert "Traceback" not in answer.err
    [log] = (here / ".zenflow").glob("zenflow-defect-*.log")
    text = log.read_text()
    assert "RuntimeError" in text and "Traceback" in text and __version__ in text
    assert "abc.def" not in text and "sig=123" not in text and "abc-secret" not in text


def test_an_interrupt_is_130_and_says_so(zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch) -> None:
    from zenflow.app.queries import runs as look

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(look, "run_lines", interrupted)
    answer = zenflow("runs", "--json")
    assert (answer.status, answer.document["status"]) == (130, "interrupted")


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef zenflow"), ("fish", "complete")]
)
def test_completion_scripts_name_the_command(zenflow: Zenflow, shell: str, word: str) -> None:
    answer = zenflow("completion", shell)
    assert answer.status == 0
    assert word in answer.out and "_ZENFLOW_COMPLETE" in answer.out


def test_completion_knows_commands_and_options(here: Path) -> None:
    def complete(words: str, count: int) -> str:
        environment = {"_ZENFLOW_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
        command = [sys.executable, "-m", "zenflow"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout

    assert complete("zenflow va", 1) == "plain,validate\n"
    assert "plain,--budget" in complete("zenflow plan x --b", 3)
