"""`zenflow redo RUN STEP.1`: make one result again; reuse everything else."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.params.parsers import parse_assignment
from zenflow.cli.params.paths import NamedPath


@click.command("redo")
@click.argument("run")
@click.argument("instance", metavar="STEP[.I]")
@click.option(
    "changes", "--set", multiple=True, metavar="NAME=VALUE", help="Change the prompt or the seed of this call."
)
@click.option("--out", type=NamedPath(), metavar="DIR", help="Write output files directly to this folder.")
@click.option("--yes", "-y", is_flag=True, help="Skip the cost prompt.")
@server_options
@display_options
def command(
    run: str,
    instance: str,
    changes: tuple[str, ...],
    out: Path | None,
    yes: bool,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """Make the result STEP[.I] of RUN again, in a new run that reuses everything else. Shows the price first."""
    from zenflow.app.running.redo import RedoRequest, redo
    from zenflow.cli.prompts.assumptions import showing_assumptions
    from zenflow.cli.prompts.consent import agree_to_plan
    from zenflow.cli.running.driver import drive
    from zenflow.cli.running.summary import show_report, with_plan

    settings = settings_here(where)
    request = RedoRequest(
        run=run,
        instance=instance,
        changes=dict(parse_assignment(word) for word in changes),
        out=out,
        current=current_folder(),
    )
    agree = agree_to_plan(display.console, yes=yes, notice=showing_assumptions(display.console, settings))
    with with_plan(display.console):
        report = drive(lambda callbacks: redo(request, settings, agree, callbacks), display.console)
    return show_report(report, display.console)
