"""A person decides, case by case, at a terminal. An empty line decides nothing."""

from __future__ import annotations

from zenflow.app.recovery.reconcile import Decision, ReconcilePrompts
from zenflow.cli.prompts.consent import agree_to_a_word, agree_to_send_again
from zenflow.cli.terminal.console import Console
from zenflow.cli.terminal.questions import answer_of
from zenflow.cli.views.reconcile import choices, draw_evidence
from zenflow.credits import credits_from
from zenflow.engine.maintenance.evidence import DecisionCase, Evidence, UnrecognizedTaskCase


def reconcile_prompts(console: Console, *, yes: bool) -> ReconcilePrompts:
    """What `app/recovery/reconcile` speaks through. Where nobody can be asked, nothing is decided."""

    def show(server: str, run_id: str, evidence: Evidence) -> None:
        console.show(draw_evidence(server, run_id, evidence, console.style, console.width) + "\n")

    def decide(case: DecisionCase) -> Decision | None:
        return _decision(console, case) if console.can_ask else None

    def decide_unrecognized(case: UnrecognizedTaskCase) -> Decision | None:
        return _decision(console, case) if console.can_ask else None

    return ReconcilePrompts(
        show, decide, decide_unrecognized, agree_to_send_again(console, yes=yes), agree_to_a_word(console, yes=yes)
    )


def _decision(console: Console, case: DecisionCase | UnrecognizedTaskCase) -> Decision | None:
    while True:
        said = answer_of(console, choices(case))
        if not said:
            return None
        decision = read_decision(said, case)
        if decision is not None:
            return decision
        console.error("That is none of them. An empty line leaves it as it is.")


def read_decision(said: str, case: DecisionCase | UnrecognizedTaskCase) -> Decision | None:
    """`a TASK`, `r`, `r CREDITS`, `g`, or the whole words, and `a CALLS` of a task that nobody asked for; None when it is
    none of them."""
    word, _, rest = said.strip().partition(" ")
    letter, rest = word.lower()[:1], rest.strip()
    if isinstance(case, UnrecognizedTaskCase):
        return _decision_on_unrecognized(letter, rest, case)
    if letter == "a" and rest:
        return Decision("adopt", rest)
    if letter == "a" and case.submission.needs_decision:
        return Decision("adopt", case.submission.task_id)
    if letter == "a" and len(case.candidates) == 1:
        return Decision("adopt", case.candidates[0].task_id)
    if letter == "r":
        most = credits_from(rest) if rest else None
        return None if rest and most is None else Decision("resubmit", most=most)
    if letter == "g" and rest in ("", "up"):
        return Decision("give up")
    return None


def _decision_on_unrecognized(letter: str, rest: str, unrecognized: UnrecognizedTaskCase) -> Decision | None:
    task_id = unrecognized.task.task_id
    if letter == "g" and rest in ("", "up"):
        return Decision("give up")
    named = tuple(name.strip() for name in rest.split(",")) if rest and rest != task_id else ()
    if letter != "a" or (named and not unrecognized.waiting):
        return None
    return Decision("adopt", task_id, named=named)
