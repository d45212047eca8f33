"""Where words go, and what happens when nobody reads them any more."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from zenflow.cli.terminal.console import Console, envelope
from zenflow.cli.terminal.style import PLAIN
from zenflow.cli.terminal.text_width import columns_of, cut, pad, wrap
from zenflow.cli.terminal.units import plural, size, span
from zenflow.errors import UsageError


def test_data_goes_to_stdout_and_talk_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.show("data")
    console.info("talk")
    console.document("done", None, {})
    assert tuple(capsys.readouterr()) == ("data\n", "talk\n")


def test_writes_only_the_document_to_stdout_with_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console(json=True)
    console.show("data")
    console.document("done", None, {"a": "é"})
    out = capsys.readouterr().out
    assert list(json.loads(out)) == ["format", "status", "error", "a"]
    assert "é" in out


def test_quiet_silences_talk_but_not_errors(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=True)
    console.info("talk")
    console.error("error")
    assert tuple(capsys.readouterr()) == ("", "error\n")


def test_a_reader_that_has_gone_is_quiet_and_costs_no_status() -> None:
    code = (
        "import sys\n"
        "from zenflow.cli.terminal.console import Console\n"
        "for number in range(20000): Console().show('line')\n"
        "sys.exit(7)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert writer.stdout is not None and writer.stderr is not None
    writer.stdout.readline()
    writer.stdout.close()
    said = writer.stderr.read()
    writer.stderr.close()
    assert (writer.wait(), said) == (7, b"")


class Full(io.StringIO):
    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_reports_an_unwritable_answer_and_drops_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    monkeypatch.setattr(sys, "stderr", Full())
    for console, report_error in (
        (Console(), Console.show),
        (Console(json=True), lambda c, text: c.document(text, None, {})),
    ):
        with pytest.raises(UsageError) as caught:
            report_error(console, "done")
        assert (caught.value.code, caught.value.exit_status) == ("ZF033", 2)
    Console().error("talk")


def test_stays_silent_and_plain_with_closed_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, stream, None)
    console = Console()
    console.show("data")
    console.error("talk")
    assert (console.can_ask, console.draws, console.style is PLAIN, console.message_style is PLAIN) == (
        False,
        False,
        True,
        True,
    )


def test_signs_that_the_terminal_lacks_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    Console().show("a · b")
    assert raw.getvalue() == b"a ? b\n"


@pytest.mark.parametrize("variable", ["NO_COLOR", "TERM"])
def test_colours_need_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert Console().style.on
    assert not Console(no_color=True).style.on
    monkeypatch.setenv(variable, "dumb")
    assert not Console().style.on
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.delenv(variable)
    assert not Console().style.on


def test_an_envelope_is_json_with_an_error_or_null() -> None:
    assert json.loads(envelope("failed", {"code": "ZF1", "message": "m", "hint": None}, {}))["error"]["code"] == "ZF1"


def test_widths_count_columns_not_characters() -> None:
    assert [columns_of(text) for text in ("abc", "写真", "e\u0301", "\x1b[31mred\x1b[0m")] == [3, 4, 1, 3]
    assert cut("写真写真", 5) == "写真…"
    assert pad("写", 4) + "|" == "写  |" and pad("7", 3, right=True) == "  7"


def test_wrapping_breaks_no_word_and_nothing_in_backticks() -> None:
    assert wrap("say `a b c d e f` or leave it be", 20, "  ", "") == ["say `a b c d e f` or", "  leave it be"]
    assert all("`a b c d e f`" in line or "`" not in line for line in wrap("say `a b c d e f` or", 12))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (125, "2 min 05 s"), (4800, "1 h 20 min"), (None, "–")]
)
def test_spans(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


def test_sizes_and_plurals() -> None:
    assert [size(count) for count in (812, 1_400_000, 250_000_000)] == ["812 B", "1.4 MB", "250 MB"]
    assert [plural(count, "file") for count in (0, 1, 1200)] == ["0 files", "1 file", "1,200 files"]
