"""`zenflow plan RECIPE`: what a run would do and cost. It cannot submit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from zenflow.cli import exits
from zenflow.cli.here import recipe_words, settings_here
from zenflow.cli.options import Asked, Talk, Where, Wish, recipe_options, reuse_options, server_options, talk_options
from zenflow.cli.waiting import wait_for
from zenflow.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is wanted of the plan, beside the plan."""

    strict: bool = False
    detailed: bool = False
    keep_in: Path | None = None
    form: str = "text"
    compare: bool = False
    cheapest: bool = False
    offline: bool = False


@click.command("plan")
@recipe_options
@reuse_options
@click.option("-o", "--output", "keep_in", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan.")
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", help="How to show it.")
@click.option("--compare", is_flag=True, help="What every model and resolution that may be used would cost.")
@click.option("--cheapest", is_flag=True, help="Of that only what would save something.")
@click.option("--offline", is_flag=True, help="With the last schemas and prices, however old they are.")
@click.option("--strict", is_flag=True, help="Refuse a plan of which only the expected case fits.")
@click.option("--detailed-exitcode", is_flag=True, help="10 instead of 0 when there is something to pay.")
@server_options
@talk_options
def command(
    asked: Asked,
    wish: Wish,
    keep_in: Path | None,
    form: str,
    compare: bool,
    cheapest: bool,
    offline: bool,
    strict: bool,
    detailed_exitcode: bool,
    where: Where,
    talk: Talk,
) -> int:
    """Show what a run of RECIPE would do and cost, step by step. Nothing is spent."""
    if offline and (keep_in is not None or compare or cheapest):
        raise UsageError("ZF003", "`--offline` saves and compares nothing: that asks the service.")
    shown = Shown(
        strict=strict,
        detailed=detailed_exitcode,
        keep_in=keep_in,
        form=form,
        compare=compare,
        cheapest=cheapest,
        offline=offline,
    )
    return show_plan(asked, wish, where, talk, shown)


def _now() -> datetime:
    return datetime.now(UTC)


def show_plan(asked: Asked, wish: Wish, where: Where, talk: Talk, shown: Shown) -> int:
    """Also `zenflow run --dry-run`."""
    from zenflow.app.plan import PlanWish, plan_more
    from zenflow.app.prepare import RecipeRequest
    from zenflow.app.refusal import refusal_of
    from zenflow.cli.boundary import error_document
    from zenflow.cli.views.compare import comparison_document, draw_comparison
    from zenflow.cli.views.places import near
    from zenflow.cli.views.plan import draw_plan, is_free
    from zenflow.cli.views.plan_markdown import plan_markdown
    from zenflow.cli.views.problems import draw_problems
    from zenflow.plan.document import plan_document

    console = talk.console
    request = RecipeRequest(**recipe_words(asked, wish))
    more = PlanWish(keep_in=shown.keep_in, compare=shown.compare or shown.cheapest, offline=shown.offline)
    planned = wait_for(plan_more(request, settings_here(where), more))
    plan = planned.plan
    refused = refusal_of(plan, strict=shown.strict)
    if plan.warnings:
        console.say(draw_problems(plan.warnings, console.talk_ink, console.width) + "\n")
    console.show(
        plan_markdown(plan, as_of=_now(), offline=shown.offline)
        if shown.form == "markdown"
        else draw_plan(plan, console.ink, console.width, as_of=_now(), offline=shown.offline)
    )
    body = plan_document(plan)
    if planned.comparison is not None:
        console.show(draw_comparison(planned.comparison, console.ink, console.width, cheapest=shown.cheapest))
        body["comparison"] = comparison_document(planned.comparison)
    if shown.keep_in is not None:
        console.say(f"Saved in {near(shown.keep_in)}: `zenflow run --plan {near(shown.keep_in)}` does exactly that.")
        body["saved_in"] = str(shown.keep_in)
    error = None if refused is None else error_document(refused)
    console.document("planned" if refused is None else "refused", error, body)
    if refused is not None:
        return exits.REFUSED
    return exits.TO_PAY if shown.detailed and not is_free(plan) else exits.DONE
