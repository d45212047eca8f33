"""`zenflow report [RUN]`: one HTML file with everything that a run made, asked for and cost."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, state_option
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits


@click.command("report")
@click.argument("run", required=False)
@click.option("-o", "--output", type=NamedPath(), metavar="FILE", help="Write to FILE (default: the output folder).")
@click.option("--open", "show", is_flag=True, help="Open the report in your browser.")
@state_option
@display_options
def command(run: str | None, output: Path | None, show: bool, where: ServerOptions, display: DisplayOptions) -> int:
    """Write an HTML report of RUN (default: the last run): pictures, prompts, prices, graph and timeline."""
    from zenflow.app.queries.run_views import view_of, write_report
    from zenflow.cli.views.reports import draw_written, report_document

    view = wait_for(view_of(run, settings_here(where)))
    written = write_report(view, output, current_folder())
    display.console.show(draw_written(written))
    display.console.document("done", None, report_document(written))
    if show:
        click.launch(written.file.as_uri())
    return exits.DONE
