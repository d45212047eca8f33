"""`zenflow sheet [RUN] [STEP]`: a contact sheet of one step as one picture."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, state_option
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits


@click.command("sheet")
@click.argument("run", required=False)
@click.argument("step", required=False)
@click.option("--rows", metavar="item.NAME", help="Put this name of a mapping `foreach` down the side.")
@click.option("--columns", metavar="item.NAME", help="Put this name of a mapping `foreach` across the top.")
@click.option("-o", "--output", type=NamedPath(), metavar="FILE", help="Write to FILE (default: the output folder).")
@state_option
@display_options
def command(
    run: str | None,
    step: str | None,
    rows: str | None,
    columns: str | None,
    output: Path | None,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """Write a contact sheet of STEP of RUN (default: the last step with pictures of the last run) as PNG."""
    from zenflow.app.queries.run_views import view_of, write_sheet
    from zenflow.cli.terminal.pictures import picture_escape
    from zenflow.cli.views.reports import draw_sheet, sheet_document

    view = wait_for(view_of(run, settings_here(where)))
    written = write_sheet(view, step, rows, columns, output, current_folder())
    if not display.console.json:
        display.console.show(draw_sheet(written), picture_escape(written.file))
    display.console.document("done", None, sheet_document(written))
    return exits.DONE
