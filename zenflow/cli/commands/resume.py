"""`zenflow resume [RUN]`: go on with a run; what is paid is never paid again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, pick_option, server_options
from zenflow.cli.params.parsers import parse_budget, parse_maximum
from zenflow.cli.params.paths import NamedPath


@click.command("resume")
@click.argument("run", required=False)
@click.option("--budget", metavar="N", help="A new budget for the whole run, what is spent included.")
@click.option("maxima", "--max", multiple=True, metavar="STEP=N", help="Start at most N instances of STEP.")
@pick_option
@click.option("--recipe", type=NamedPath(), metavar="FILE", help="A corrected recipe; what is paid is kept.")
@click.option("--again", multiple=True, metavar="INSTANCE", help="Make this paid result anew: it is gone for good.")
@click.option("--take-over", is_flag=True, help="Take the run from a process on another machine that is surely gone.")
@click.option("--yes", "-y", is_flag=True, help="Agree to the price of the rest beforehand, and to nothing else.")
@server_options
@display_options
def command(
    run: str | None,
    budget: str | None,
    maxima: tuple[str, ...],
    picks: Mapping[str, tuple[int, ...]],
    recipe: Path | None,
    again: tuple[str, ...],
    take_over: bool,
    yes: bool,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """Go on with RUN (left out: the last that can go on). It uses the recipe and inputs stored with the run."""
    from zenflow.app.running.resume import Rest, ResumeRequest, resume
    from zenflow.cli.prompts.consent import agree_to_rest
    from zenflow.cli.prompts.picks import until_chosen
    from zenflow.cli.running.driver import drive
    from zenflow.cli.running.summary import show_report

    request = ResumeRequest(
        run=run,
        budget=parse_budget(budget),
        maxima=dict(parse_maximum(word) for word in maxima),
        picks=picks,
        take_over=take_over,
        again=again,
        recipe=recipe,
        current=current_folder(),
    )
    settings = settings_here(where)
    left: list[Rest] = []
    ask = agree_to_rest(display.console, yes=yes)

    def agree(rest: Rest) -> None:
        left.append(rest)
        ask(rest)

    report = drive(lambda callbacks: resume(request, settings, agree, callbacks), display.console)
    if not left:
        display.console.info(f"{report.run_id} is done: there was nothing to go on with.")
    return show_report(until_chosen(report, settings, display.console), display.console)
