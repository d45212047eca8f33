"""What `validate` found: problems for people, as JSON, or for GitHub; or one line that all is well."""

from __future__ import annotations

from typing import Any

from zenflow.app.planning.validate import Validation
from zenflow.cli.terminal import exit_codes as exits
from zenflow.cli.terminal.console import Console, envelope
from zenflow.cli.terminal.units import plural
from zenflow.cli.views.next_steps import next_step
from zenflow.cli.views.problems import as_github, as_rows, draw_problems, shown_path

NO_TEXT = "ZF104"  # up to it: there is no text that could be read further


def show_validation(validation: Validation, console: Console, form: str) -> None:
    """Draw it in the form asked for; `--json` wins."""
    if validation.note:
        console.info(validation.note)
    if form == "json" and not console.json:
        console.show(envelope(_status(validation), _error(validation), _document(validation)))
        return
    if form == "github":
        console.show(as_github(validation.problems))
    else:
        _show_text(validation, console)
    console.document(_status(validation), _error(validation), _document(validation))


def _show_text(validation: Validation, console: Console) -> None:
    if validation.problems:
        console.show(draw_problems(validation.problems, console.style, console.text_width))
    if validation.recipe is None and all(problem.code > NO_TEXT for problem in validation.problems):
        console.show("The rest of the file is checked once YAML can read it.")
    if validation.is_valid and not (console.quiet or validation.recipe is None):
        steps = plural(len(validation.recipe.steps), "step")
        well = console.style.good("valid")
        against = validation.checked_against
        console.show(f"{shown_path(validation.path)}: {well} · {steps}, checked against the tools of {against}")


def _status(validation: Validation) -> str:
    return "valid" if validation.is_valid else exits.WORDS[validation.status]


def _error(validation: Validation) -> dict[str, Any] | None:
    first = next((problem for problem in validation.problems if problem.severity == "error"), None)
    return (
        None
        if first is None
        else {"code": first.code, "message": first.message, "hint": next_step(first.code, first.hint)}
    )


def _document(validation: Validation) -> dict[str, Any]:
    recipe = validation.recipe
    told = None if recipe is None else {"name": recipe.name, "version": recipe.version, "digest": recipe.digest}
    return {
        "file": shown_path(validation.path),
        "recipe": told,
        "checked_against": validation.checked_against,
        "problems": as_rows(validation.problems),
    }
