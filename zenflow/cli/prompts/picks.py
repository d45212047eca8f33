"""Asking for what a `pick` waits for: every open choice with its candidates, then the numbers, one line each.

Whatever is no answer (an empty line, Ctrl-C, a closed input) leaves the run as it rests: `zenflow resume` asks again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from zenflow.app.config.settings import Settings
from zenflow.app.running.resume import ResumeRequest, resume
from zenflow.cli.prompts.consent import agree_to_rest
from zenflow.cli.running.driver import drive
from zenflow.cli.terminal.console import Console
from zenflow.cli.terminal.questions import answer_of
from zenflow.cli.views.choices import draw_choice, draw_choices
from zenflow.engine.model.report import Choice, RunReport

Picks = Mapping[str, tuple[int, ...]]


def until_chosen(report: RunReport, settings: Settings, console: Console) -> RunReport:
    """Ask as long as somebody answers and something is to be chosen, and go on with it; the last report.

    The price of what follows stands above the question and within the budget that was agreed to, so an answer agrees to it.
    """
    while report.status == "stopped" and report.choices and console.can_ask:
        picks = _ask_all(report, console)
        if picks is None:
            return report
        report = _go_on(ResumeRequest(run=report.run_id, picks=picks), settings, console)
    return report


def _go_on(request: ResumeRequest, settings: Settings, console: Console) -> RunReport:
    agree = agree_to_rest(console, yes=True)
    return drive(lambda callbacks: resume(request, settings, agree, callbacks), console)


def _ask_all(report: RunReport, console: Console) -> Picks | None:
    console.error("\n" + draw_choices(report, console.message_style))
    picks: dict[str, tuple[int, ...]] = {}
    for address, choice in report.choices.items():
        console.error("\n" + draw_choice(address, choice, console.message_style))
        places = _ask(choice, console)
        if places is None:
            console.error("")
            return None
        picks[address] = places
    return picks


def _ask(choice: Choice, console: Console) -> tuple[int, ...] | None:
    """The numbers of one choice; None: not now."""
    last = len(choice.asset_ids)
    while True:
        try:
            answer = answer_of(console, f"{_what(choice)} [Enter: later] ")
        except KeyboardInterrupt:
            return None
        if not answer:
            return None
        places = _places(answer)
        if 0 < len(places) <= choice.most and all(1 <= place <= last for place in places):
            return places
        console.error(f"`{answer}` is no choice: up to {choice.most} of the numbers 1 to {last}.")


def _places(answer: str) -> tuple[int, ...]:
    """The numbers in `1, 3`; none where something else stands among them."""
    words = re.split(r"[,;\s]+", answer.strip(",; "))
    if not all(re.fullmatch("[0-9]{1,6}", word) for word in words):
        return ()
    return tuple(dict.fromkeys(int(word) for word in words))


def _what(choice: Choice) -> str:
    return "Which one?" if choice.most == 1 else f"Which, up to {choice.most} (as in 1,3)?"
