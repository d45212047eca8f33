"""`zenflow plan RECIPE`: what a run would do and cost. It cannot submit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zenflow.cli.params.command_context import recipe_words, settings_here
from zenflow.cli.params.input_options import InputsInOrder
from zenflow.cli.params.options import (
    DisplayOptions,
    RecipeOptions,
    ReuseFlags,
    ServerOptions,
    display_options,
    recipe_options,
    reuse_options,
    server_options,
)
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits
from zenflow.cli.terminal.console import Console
from zenflow.cli.terminal.style import PLAIN
from zenflow.errors import UsageError

if TYPE_CHECKING:
    from zenflow.app.planning.plan import Planned


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDisplay:
    """What is wanted of the plan, beside the plan."""

    strict: bool = False
    detailed: bool = False
    keep_in: Path | None = None
    form: str = "text"
    compare: bool = False
    cheapest: bool = False
    offline: bool = False


@click.command("plan", cls=InputsInOrder)
@recipe_options
@reuse_options
@click.option("-o", "--output", "keep_in", type=NamedPath(), metavar="FILE", help="Save the plan.")
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", help="How to show it.")
@click.option("--compare", is_flag=True, help="What every model and resolution that may be used would cost.")
@click.option(
    "--cheapest", is_flag=True, help="The plan with the cheapest of these, what it loses, and how to keep it."
)
@click.option("--offline", is_flag=True, help="With the last schemas and prices, however old they are.")
@click.option("--strict", is_flag=True, help="Refuse a plan of which only the expected case fits.")
@click.option("--detailed-exitcode", is_flag=True, help="10 instead of 0 when there is something to pay.")
@server_options
@display_options
def command(
    asked: RecipeOptions,
    options: ReuseFlags,
    keep_in: Path | None,
    form: str,
    compare: bool,
    cheapest: bool,
    offline: bool,
    strict: bool,
    detailed_exitcode: bool,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """Show what a run of RECIPE would do and cost, step by step. Nothing is spent."""
    if offline and (keep_in is not None or compare or cheapest):
        raise UsageError("ZF003", "`--offline` saves and compares nothing: that asks the service.")
    shown = PlanDisplay(
        strict=strict,
        detailed=detailed_exitcode,
        keep_in=keep_in,
        form=form,
        compare=compare,
        cheapest=cheapest,
        offline=offline,
    )
    return show_plan(asked, options, where, display, shown)


def _now() -> datetime:
    return datetime.now(UTC)


def show_plan(
    asked: RecipeOptions, options: ReuseFlags, where: ServerOptions, display: DisplayOptions, shown: PlanDisplay
) -> int:
    """Also `zenflow run --dry-run`."""
    from zenflow.app.planning.plan import PlanOptions, plan_more
    from zenflow.app.planning.prepare import RecipeRequest
    from zenflow.cli.error_boundary import error_document
    from zenflow.cli.terminal.headings import relative_path
    from zenflow.cli.views.cheapest import cheapest_document
    from zenflow.cli.views.compare import comparison_document
    from zenflow.cli.views.plan import is_free
    from zenflow.cli.views.problems import draw_problems
    from zenflow.plan.output.document import plan_document
    from zenflow.report.verdict import refusal_of

    console = display.console
    request = RecipeRequest(**recipe_words(asked, options))
    more = PlanOptions(keep_in=shown.keep_in, compare=shown.compare, cheapest=shown.cheapest, offline=shown.offline)
    planned = wait_for(plan_more(request, settings_here(where), more))
    plan = planned.plan
    refused = refusal_of(plan, strict=shown.strict)
    if plan.warnings:
        console.info(draw_problems(plan.warnings, console.message_style, console.text_width) + "\n")
    body = plan_document(plan)
    _show(planned, console, shown)
    if planned.comparison is not None:
        body["comparison"] = comparison_document(planned.comparison)
    if planned.cheapest is not None:
        body["cheapest"] = cheapest_document(planned.cheapest)
    if shown.keep_in is not None:
        console.info(
            f"Saved in {relative_path(shown.keep_in)}: `zenflow run --plan {relative_path(shown.keep_in)}` does exactly that."
        )
        body["saved_in"] = str(shown.keep_in)
    error = None if refused is None else error_document(refused)
    console.document("planned" if refused is None else "refused", error, body)
    if refused is not None:
        return exits.REFUSED
    return exits.TO_PAY if shown.detailed and not is_free(plan) else exits.DONE


def _show(planned: Planned, console: Console, shown: PlanDisplay) -> None:
    """The plan, and below it what other models would cost."""
    from zenflow.cli.views.cheapest import CHANGED, draw_cheapest
    from zenflow.cli.views.compare import draw_comparison
    from zenflow.cli.views.plan import draw_plan
    from zenflow.cli.views.plan_markdown import fenced, plan_markdown

    markdown = shown.form == "markdown"
    style, width = (PLAIN, 120) if markdown else (console.style, console.width)
    note = CHANGED if planned.cheapest is not None and planned.cheapest.switches else ""
    if markdown:
        console.show(plan_markdown(planned.plan, as_of=_now(), offline=shown.offline, note=note))
    else:
        console.show(draw_plan(planned.plan, style, width, as_of=_now(), offline=shown.offline, note=note))
    below = []
    if planned.comparison is not None and shown.compare:
        below.append(draw_comparison(planned.comparison, style, width))
    if planned.cheapest is not None:
        below.append(draw_cheapest(planned.cheapest, planned.comparison, style, width))
    for text in below:
        console.show(fenced(text) if markdown else text)
