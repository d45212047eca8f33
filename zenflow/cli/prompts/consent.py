"""Asking before credits are spent. `--yes` agrees to what was shown and to nothing else; a sandbox needs no asking."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from zenflow.app.config.setting_specs import SANDBOX
from zenflow.cli.terminal.console import Console
from zenflow.cli.terminal.questions import answered_yes
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.views.plan import draw_plan
from zenflow.cli.views.problems import draw_problems
from zenflow.cli.views.rest import draw_rest
from zenflow.cli.views.tasks import draw_task
from zenflow.credits import ZERO, in_words
from zenflow.errors import Refused
from zenflow.plan.model import Plan

if TYPE_CHECKING:  # a run asks without what a resume or a deletion needs
    from zenflow.app.queries.tasks import TaskView
    from zenflow.app.running.resume import Rest
    from zenflow.history.state import SubmissionState

DECLINED, NOBODY_TO_ASK = "ZF665", "ZF666"


def agree_to_plan(
    console: Console, *, yes: bool, notice: Callable[[Plan], None] = lambda plan: None
) -> Callable[[Plan], None]:
    """Shows a plan and asks for what it may cost; `notice` says what else is to be known before that."""

    def agree(plan: Plan) -> None:
        if plan.warnings:
            console.info(draw_problems(plan.warnings, console.message_style, console.text_width) + "\n")
        console.info(draw_plan(plan, console.message_style, console.width) + "\n")
        notice(plan)
        most = min(plan.credits.worst, plan.budget) if not plan.unpriced else plan.budget
        _ask(console, most, plan.server, yes, plan.calls.max if most == ZERO else 0)

    return agree


def agree_to_rest(console: Console, *, yes: bool) -> Callable[[Rest], None]:
    """Shows what is left of a run and asks for what that may cost."""

    def agree(rest: Rest) -> None:
        console.info(draw_rest(rest, console.message_style, console.width) + "\n")
        _ask(console, rest.most, rest.server, yes)

    return agree


def agree_to_send_again(console: Console, *, yes: bool) -> Callable[[str, SubmissionState, Decimal], None]:
    """Says what sending a request again costs, should it have been charged already: for the same calls once more."""

    def agree(server: str, submission: SubmissionState, price: Decimal) -> None:
        calls = f"{len(submission.calls)} call{'s' if len(submission.calls) != 1 else ''}"
        console.info(
            f"#{submission.number} goes out again: {submission.tool}, {calls}, {in_words(price)}, "
            f"attempt {submission.attempts + 1}."
        )
        _ask(console, price, server, yes)

    return agree


def agree_to_a_word(console: Console, *, yes: bool) -> Callable[[str], None]:
    """Says what cannot be compared, and asks whether it is to be taken all the same."""

    def agree(said: str) -> None:
        console.info("\n".join(wrap(said, console.width)))
        if yes:
            return
        if not console.can_ask:
            raise Refused(
                NOBODY_TO_ASK,
                f"{said} There is no terminal to ask on. Nothing was recorded.",
                "Say `--yes` to agree to that beforehand.",
            )
        if not answered_yes(console, "Take it on your word? [y/N] "):
            raise Refused(DECLINED, "Not agreed to. Nothing was recorded.")

    return agree


def agree_to_update(console: Console, question: str, *, yes: bool) -> None:
    """Ask whether an update that was shown is taken. Raises Refused."""
    if yes:
        return
    if not console.can_ask:
        raise Refused(
            NOBODY_TO_ASK,
            f"{question} There is no terminal to ask on. Nothing was changed.",
            "Say `--yes` to agree to that beforehand, or `--check` to see it only.",
        )
    if not answered_yes(console, f"{question} [y/N] "):
        raise Refused(DECLINED, "Not agreed to. Nothing was changed.")


def agree_to_delete(console: Console, *, yes: bool) -> Callable[[TaskView], None]:
    """Shows a task and asks whether it may go. A sandbox is asked about too: what is gone is gone."""

    def agree(view: TaskView) -> None:
        console.info(draw_task(view, console.message_style, console.width) + "\n")
        if yes:
            return
        said = (
            f"Delete task {view.task.task_id} on {view.server}? Nothing is refunded, its results are no longer listed."
        )
        if view.run_id is not None:
            said = f"Run {view.run_id} needs this task to go on. {said}"
        if not console.can_ask:
            raise Refused(
                NOBODY_TO_ASK,
                f"{said} There is no terminal to ask on. Nothing was deleted.",
                "Say `--yes` to agree to that beforehand.",
            )
        if not answered_yes(console, f"{said} [y/N] "):
            raise Refused(DECLINED, "Not agreed to. Nothing was deleted.")

    return agree


def _ask(console: Console, most: Decimal, server: str, yes: bool, free_calls: int = 0) -> None:
    """`free_calls`: paid calls that the service prices at zero. Whether it charges nothing shows only afterwards."""
    if server == SANDBOX or yes or (most == ZERO and not free_calls):
        return
    said = f"Spend up to {in_words(most)} on {server}?"
    if most == ZERO:
        said = f"Send {free_calls} paid calls to {server}? It prices them at 0 credits."
    if not console.can_ask:
        raise Refused(
            NOBODY_TO_ASK,
            f"{said} There is no terminal to ask on. Nothing was spent.",
            "Say `--yes` to agree to that beforehand.",
        )
    if not answered_yes(console, f"{said} [y/N] "):
        raise Refused(DECLINED, "Not agreed to. Nothing was spent.")
