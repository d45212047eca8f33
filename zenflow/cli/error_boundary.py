"""The one edge around every command: expected, interrupted, or a bug; each with its words and its status.

With `--json` among the words, stdout carries exactly one document whatever happens. No traceback reaches the terminal.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import click

from zenflow.cli.group import UnknownCommand, group
from zenflow.cli.state_hint import where_to_look
from zenflow.cli.terminal import exit_codes as exits
from zenflow.cli.terminal import signals
from zenflow.cli.terminal.console import Console
from zenflow.cli.terminal.environment import COMPLETION_VARIABLE
from zenflow.cli.views.next_steps import next_step
from zenflow.cli.views.problems import as_rows, draw_error, draw_problems
from zenflow.errors import UsageError, ZenflowError
from zenflow.report.next_steps import for_this_run
from zenflow.suggest import nearest


def run_words(words: Sequence[str]) -> int:
    """Run one command line; the exit status."""
    if threading.current_thread() is threading.main_thread():
        signals.as_interruptions()
    console = Console(json=_wants_json(words), no_color="--no-color" in words)
    try:
        status = group.main(
            args=list(words), prog_name="zenflow", complete_var=COMPLETION_VARIABLE, standalone_mode=False
        )
    except SystemExit as leaving:  # click's completion leaves like this
        return leaving.code if isinstance(leaving.code, int) else 0
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(console)
    except BaseException as error:  # the boundary: whatever comes is told as one of three kinds
        return report_error(error, console, words)
    status = status if isinstance(status, int) else exits.DONE
    _show_place(words, status, console)
    return status


def _show_place(words: Sequence[str], status: int, console: Console) -> None:
    said = where_to_look(words, status)
    if said is not None and "-q" not in words and "--quiet" not in words:
        console.info(said)


def report_error(error: BaseException, console: Console, words: Sequence[str]) -> int:
    """Say what went wrong and give its status."""
    expected = _expected(error)
    if expected is not None:
        status = _show_expected(expected, console)
        _show_place(words, status, console)
        return status
    if isinstance(error, KeyboardInterrupt):
        return _interrupted(console)
    return _show_bug(error, console, words)


def _expected(error: BaseException) -> ZenflowError | None:
    """The error of ours in what was raised; a group of tasks wraps it."""
    if isinstance(error, ZenflowError):
        return error
    if isinstance(error, BaseExceptionGroup):
        inner = [found for found in map(_expected, error.exceptions) if found is not None]
        return inner[0] if inner else None
    if isinstance(error, click.ClickException):
        return _from_click(error)
    return None


def _show_expected(error: ZenflowError, console: Console) -> int:
    problems, run_id = getattr(error, "problems", ()), error.facts.get("run_id")
    if error.hint is not None and run_id is not None:
        error.hint = for_this_run(error.hint, run_id, error.facts.get("server") or "")
    if problems:
        console.error(draw_problems(problems, console.message_style, console.text_width))
    else:
        console.error(draw_error(error.message, error.code, error.hint, console.message_style, console.text_width))
    body: dict[str, Any] = dict(error.facts.get("document") or {})
    if problems:
        body["problems"] = as_rows(problems)
    if run_id is not None:
        body["run_id"] = run_id
    _last_words(console, exits.WORDS[error.exit_status], error_document(error), body)
    return error.exit_status


def _last_words(console: Console, status: str, error: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """The document of what went wrong; where stdout takes nothing, stderr has said it."""
    with suppress(UsageError):
        console.document(status, error, body)


def error_document(error: ZenflowError) -> Mapping[str, Any]:
    """The `error` of a JSON document."""
    return {"code": error.code, "message": error.message, "hint": next_step(error.code, error.hint)}


def _interrupted(console: Console) -> int:
    console.error("\nInterrupted.")
    error = {"code": "ZF090", "message": "Interrupted.", "hint": None}
    _last_words(console, exits.WORDS[exits.INTERRUPTED], error, {})
    return exits.INTERRUPTED


def _show_bug(error: BaseException, console: Console, words: Sequence[str]) -> int:
    from zenflow.cli.terminal import crash_log  # its modules are for a bad day

    log = crash_log.write(error, words)
    message = f"zenflow has a defect: {type(error).__name__} where none was expected."
    hint = f"Please report it, with the log that was left in {log}" if log else "Please report it."
    console.error(draw_error(message, "ZF900", hint, console.message_style, console.text_width))
    _last_words(console, exits.WORDS[exits.DEFECT], {"code": "ZF900", "message": message, "hint": hint}, {})
    return exits.DEFECT


# ------------------------------------------------------------------------------------------------- click's own words


def _from_click(error: click.ClickException) -> ZenflowError:
    if isinstance(error, UnknownCommand):
        return UsageError("ZF001", error.message, error.hint)
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error)
    hint = None
    if isinstance(error, click.UsageError) and error.ctx is not None:
        path = error.ctx.command_path
        hint = f"`{path} --help` shows how it is written."
        if isinstance(error, click.MissingParameter) and error.param is not None and error.param.name == "recipe":
            from zenflow.cli.params.command_context import (
                recipes_here,  # not at the top: the pages of help need none of it
            )

            hint = recipes_here(path)
    return UsageError("ZF003", error.format_message(), hint)


def _no_such_option(error: click.NoSuchOption) -> ZenflowError:
    context = error.ctx
    if context is None:
        return UsageError("ZF002", error.format_message())
    known = [name for option in context.command.params for name in option.opts if name.startswith("--")]
    path = context.command_path
    if context.command is group:
        message = f"`{error.option_name}` stands before the command."
        return UsageError("ZF002", message, "Options follow the command: `zenflow COMMAND … --option`.")
    message = f"`{path}` has no option `{error.option_name}`."
    near = nearest(error.option_name.strip("-"), [name.strip("-") for name in known])
    hint = f"Did you mean `--{near}`?" if near else f"`{path} --help` lists its options."
    return UsageError("ZF002", message, hint)


def _wants_json(words: Sequence[str]) -> bool:
    before = list(words)[: list(words).index("--")] if "--" in words else words
    return "--json" in before
