"""`zenflow show [RUN]`: how a run stands, from its journal, offline."""

from __future__ import annotations

import click

from zenflow.cli.here import settings_here
from zenflow.cli.options import Talk, Where, state_option, talk_options
from zenflow.cli.waiting import wait_for


@click.command("show")
@click.argument("run", required=False)
@state_option
@talk_options
def command(run: str | None, where: Where, talk: Talk) -> int:
    """Show how RUN stands (left out: the last): steps, failures, files, credits. Asks no service."""
    from zenflow.app.look import show
    from zenflow.cli.ending import first_error
    from zenflow.cli.views.run import draw_run, next_command
    from zenflow.report.as_json import run_document

    seen = wait_for(show(run, settings_here(where)))
    console = talk.console
    report = seen.report
    console.show(draw_run(report, console.ink, console.width))
    if seen.has_died:
        console.show(f"Nobody works on it any more.\n{console.ink.link('→')} {next_command(report)}")
    elif seen.is_alive:
        console.show(f"{seen.row.holder} works on it.\n{console.ink.link('→')} zenflow stop {report.run_id}")
    status = "interrupted" if seen.has_died else report.status
    console.document(status, first_error(report), run_document(report))
    return 0
