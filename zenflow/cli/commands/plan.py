"""`zenflow plan RECIPE`: what a run would do and cost. It cannot submit."""

from __future__ import annotations

import click

from zenflow.cli import exits
from zenflow.cli.here import recipe_words, settings_here
from zenflow.cli.options import Asked, Talk, Where, recipe_options, server_options, talk_options
from zenflow.cli.waiting import wait_for


@click.command("plan")
@recipe_options
@click.option("--strict", is_flag=True, help="Refuse a plan of which only the expected case fits.")
@click.option("--detailed-exitcode", is_flag=True, help="10 instead of 0 when there is something to pay.")
@server_options
@talk_options
def command(asked: Asked, strict: bool, detailed_exitcode: bool, where: Where, talk: Talk) -> int:
    """Show what a run of RECIPE would do and cost, step by step. Nothing is spent."""
    return show_plan(asked, where, talk, strict=strict, detailed=detailed_exitcode)


def show_plan(asked: Asked, where: Where, talk: Talk, *, strict: bool, detailed: bool = False) -> int:
    """Also `zenflow run --dry-run`."""
    from zenflow.app.plan import plan
    from zenflow.app.prepare import RecipeRequest
    from zenflow.app.refusal import refusal_of
    from zenflow.cli.boundary import error_document
    from zenflow.cli.views.plan import draw_plan, is_free
    from zenflow.cli.views.problems import draw_problems
    from zenflow.plan.document import plan_document

    console = talk.console
    planned = wait_for(plan(RecipeRequest(**recipe_words(asked)), settings_here(where)))
    refused = refusal_of(planned, strict=strict)
    if planned.warnings:
        console.say(draw_problems(planned.warnings, console.talk_ink, console.width) + "\n")
    console.show(draw_plan(planned, console.ink, console.width))
    error = None if refused is None else error_document(refused)
    console.document("planned" if refused is None else "refused", error, plan_document(planned))
    if refused is not None:
        return exits.REFUSED
    return exits.TO_PAY if detailed and not is_free(planned) else exits.DONE
