"""`zenflow runs`: the runs of this workspace, newest first."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import Talk, Where, state_option, talk_options
from zenflow.cli.running.event_loop import wait_for


@click.command("runs")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Show at most this many runs.")
@state_option
@talk_options
def command(limit: int, where: Where, talk: Talk) -> int:
    """List the runs of this workspace, newest first."""
    from zenflow.app.queries.runs import run_lines
    from zenflow.cli.views.runs import draw_runs, runs_document

    lines, total = wait_for(run_lines(settings_here(where), limit))
    console = talk.console
    console.show(draw_runs(lines, total, console.ink, console.width))
    console.document("done", None, runs_document(lines, total))
    return 0
