"""`zenflow export [RUN]`: the files of a run as one ZIP."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, state_option
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits


@click.command("export")
@click.argument("run", required=False)
@click.option("--zip", "target", type=NamedPath(), metavar="FILE", help="Write to FILE (default: RECIPE-RUN.zip here).")
@click.option("--flat", is_flag=True, help="Put all files into one folder.")
@click.option("--previews", is_flag=True, help="Include previews.")
@state_option
@display_options
def command(
    run: str | None, target: Path | None, flat: bool, previews: bool, where: ServerOptions, display: DisplayOptions
) -> int:
    """Pack the files of RUN (default: the last run) with manifest and outputs into one ZIP."""
    from zenflow.app.queries.export import export_zip
    from zenflow.app.queries.run_views import view_of
    from zenflow.cli.terminal.headings import relative_path
    from zenflow.cli.terminal.units import plural, size

    view = wait_for(view_of(run, settings_here(where)))
    file = current_folder() / (target or Path(f"{view.recipe}-{view.run_id}.zip"))
    done = export_zip(view, file, flat=flat, previews=previews)
    display.console.show(f"Wrote {relative_path(done.file)} ({plural(done.files, 'file')}, {size(done.bytes)})")
    if done.missing:
        display.console.info(
            f"{plural(len(done.missing), 'file')} not on disk: `zenflow fetch {view.run_id}` saves them."
        )
    document = {"run_id": view.run_id, "file": str(done.file), "bytes": done.bytes, "missing": list(done.missing)}
    display.console.document("done", None, document)
    return exits.DONE
