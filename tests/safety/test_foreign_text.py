"""Text of strangers is shown, never obeyed: on the terminal, in JSON, in Markdown, in every view."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.safety.hostile_git import RECIPE
from zenflow.cli.terminal.console import Console, envelope
from zenflow.cli.terminal.style import COLOUR, for_terminal
from zenflow.cli.views.plan_markdown import fenced
from zenflow.foreign_text import first_bidi_mark, markdown_text, visible, visible_json

Zenflow = Callable[..., Any]
HOSTILE = "\x1b]10;#000\x07\x1b[8m\x9b31m\x00\x7f\r\u202e\u2066\u200f\u061c"
COMMANDING = set(map(chr, [*range(9), *range(11, 32), *range(127, 160), 0x2028, 0x2029, 0x61C, 0x200E, 0x200F]))
COMMANDING |= set(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


@given(st.text(alphabet=st.characters()))
def test_no_text_commands_a_terminal(text: str) -> None:
    assert not set(visible(text)) & COMMANDING
    assert not set(for_terminal(text)) & COMMANDING
    for_terminal(text).encode("utf-8")


@given(st.text())
def test_a_json_document_stays_what_it_is(text: str) -> None:
    shown = visible_json(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(shown) == {"text": text} and not set(shown) & COMMANDING


def test_only_our_own_colours_reach_the_terminal() -> None:
    """A colour that a text brings along is shown; ours around it counts."""
    assert for_terminal(COLOUR.bad("no\x1b[32mway")) == "\x1b[31;1mno\\x1b[32mway\x1b[0m"


@pytest.mark.parametrize("say", ["info", "error", "ask", "show"])
def test_every_way_to_the_terminal_is_filtered(capfd: pytest.CaptureFixture[str], say: str) -> None:
    getattr(Console(), say)(HOSTILE)
    said = capfd.readouterr()
    assert "\\x1b]10;#000\\x07" in said.out + said.err and not set(said.out + said.err) & COMMANDING


def test_the_envelope_is_filtered() -> None:
    assert not set(envelope("done", None, {"text": HOSTILE})) & COMMANDING


@pytest.mark.parametrize(
    "command",
    [
        ("validate",),
        ("plan",),
        ("plan", "--json"),
        ("plan", "--format", "markdown"),
        ("graph",),
        ("run",),
        ("run", "--json"),
    ],
)
def test_a_recipe_s_text_is_shown(
    zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    text = f'description: "{escaped(HOSTILE)} [x](https://evil.example) <b> https://evil.example"\n'
    (here / "r.yaml").write_text(RECIPE.replace("steps:", f"{text}steps:"))
    answer = zenflow(command[0], "r.yaml", *command[1:])
    assert answer.status == 0, answer.err
    assert not (set(answer.out) | set(answer.err)) & COMMANDING
    if "markdown" in command:
        assert "[x](" not in answer.out and "https://evil" not in answer.out and "<b>" not in answer.out


def test_markdown_has_no_links_of_strangers() -> None:
    shown = markdown_text("[a](http://b) ![c](d) <i> @all #1 www.x.org\n# h `code` _e_ ~s~")
    assert "\n" not in shown
    assert shown == (
        "\\[a\\](http&#58;//b) \\!\\[c\\](d) &lt;i&gt; &#64;all \\#1 www&#46;x.org \\# h \\`code\\` \\_e\\_ \\~s\\~"
    )


def test_no_text_ends_a_fence() -> None:
    assert fenced("a\n```\n# b") == "\n````text\na\n```\n# b\n````"


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\u061c"])
def test_a_recipe_with_a_mark_that_turns_reading_is_warned_of(zenflow: Zenflow, here: Path, mark: str) -> None:
    (here / "r.yaml").write_text(RECIPE.replace("positive_prompt: x", f"positive_prompt: 'a {mark}b'"))
    answer = zenflow("validate", "r.yaml", "--json")
    found = [one for one in answer.document["problems"] if one["code"] == "ZF128"]
    assert answer.status == 0 and found[0]["severity"] == "warning" and found[0]["line"] == 5


def test_where_the_first_mark_stands() -> None:
    assert (first_bidi_mark("abc"), first_bidi_mark("ab\u202ec")) == (None, 2)
