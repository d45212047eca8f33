"""The edge around every command: signals before there is a run, empty paths, options of another command."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zenflow.cli.group import group
from zenflow.cli.terminal import signals

Zenflow = Callable[..., Any]


@pytest.fixture
def usual_signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_interrupts_with_a_document_before_a_run_exists(
    zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch, usual_signals: None, number: signal.Signals
) -> None:
    monkeypatch.setattr(group, "main", lambda **words: signal.raise_signal(number))
    ended = zenflow("plan", "first", "--json")
    assert (ended.status, ended.document["status"]) == (130, "interrupted")


def test_ends_a_background_job_on_terminate_despite_no_ctrl_c(
    zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch, usual_signals: None
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    monkeypatch.setattr(group, "main", lambda **words: signal.raise_signal(signal.SIGTERM))
    assert zenflow("plan", "first").status == 130


def test_a_hang_up_that_is_to_be_ignored_is(
    zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch, usual_signals: None
) -> None:
    """As `nohup` starts it: the terminal may close, and a run does not take the signal up either."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    heeded = []

    def hear(**words: Any) -> int:
        signal.raise_signal(signal.SIGHUP)
        heeded.extend(signals.heeded())
        return 0

    monkeypatch.setattr(group, "main", hear)
    assert zenflow("plan", "first").status == 0
    assert heeded == [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize(
    "words", [("run", "first", "--out", ""), ("run", "first", "--state", ""), ("plan", "first", "-o", "")]
)
def test_an_empty_path_is_not_the_current_folder(zenflow: Zenflow, words: tuple[str, ...]) -> None:
    told = zenflow(*words)
    assert told.status == 2
    assert "the path is empty" in told.err


def test_only_an_option_that_is_near_is_suggested(zenflow: Zenflow) -> None:
    assert "`zenflow validate --help` lists its options" in zenflow("validate", "first", "--budget", "3").err
    assert "Did you mean `--strict`?" in zenflow("run", "first", "--strct").err


def test_the_embedded_sandbox_sends_nobody_to_a_payment_page(zenflow: Any, here: Path) -> None:
    said = zenflow("account")
    assert said.status == 0 and "top up" not in said.out and "/billing" not in said.out
