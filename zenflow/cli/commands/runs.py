"""`zenflow runs`: the runs of this workspace, newest first."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, state_option
from zenflow.cli.running.event_loop import wait_for


@click.command("runs")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Show at most this many runs.")
@state_option
@display_options
def command(limit: int, where: ServerOptions, display: DisplayOptions) -> int:
    """List the runs of this workspace, newest first."""
    from zenflow.app.queries.runs import run_lines
    from zenflow.cli.views.runs import draw_runs, runs_document

    lines, total = wait_for(run_lines(settings_here(where), limit))
    console = display.console
    console.show(draw_runs(lines, total, console.style, console.width))
    console.document("done", None, runs_document(lines, total))
    return 0
