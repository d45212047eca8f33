"""`zenflow show [RUN]`: how a run stands, from its journal, offline."""

from __future__ import annotations

from dataclasses import replace

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, state_option
from zenflow.cli.running.event_loop import wait_for


@click.command("show")
@click.argument("run", required=False)
@state_option
@display_options
def command(run: str | None, where: ServerOptions, display: DisplayOptions) -> int:
    """Show RUN (default: the last run): steps, failures, inputs, outputs, files, credits. Works offline."""
    from zenflow.app.queries.runs import show
    from zenflow.cli.running.summary import first_error
    from zenflow.cli.views.run import draw_run
    from zenflow.cli.views.values import draw_values
    from zenflow.report.run_document import run_document
    from zenflow.report.run_view_document import run_view_document

    seen = wait_for(show(run, settings_here(where)))
    console = display.console
    report = replace(seen.report, status="interrupted") if seen.has_died else seen.report
    values = "" if seen.view is None else draw_values(seen.view, console.style, console.width)
    console.show(draw_run(report, console.style, console.width, values))
    if seen.is_alive:
        console.show(f"{seen.row.holder} works on it.\n{console.style.link('→')} zenflow stop {report.run_id}")
    view = None if seen.view is None else run_view_document(seen.view)
    console.document(report.status, first_error(report), {**run_document(report), "view": view})
    return 0
