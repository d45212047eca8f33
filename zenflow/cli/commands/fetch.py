"""`zenflow fetch [RUN]`: everything that a run has paid for, on disk."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits
from zenflow.errors import UsageError


@click.command("fetch")
@click.argument("run", required=False)
@click.option("--out", type=NamedPath(), metavar="DIR", help="Into DIR instead of the run's own folder.")
@click.option("--stamp", metavar="STAMP", help="Instead of a run: all tasks whose comment begins with STAMP.")
@server_options
@display_options
def command(run: str | None, out: Path | None, stamp: str | None, where: ServerOptions, display: DisplayOptions) -> int:
    """Save everything that RUN (left out: the last) has paid for and that is not on disk: also what came after its
    end, and what no `download` names (below `paid/`). Free; the run stays as it is."""
    from zenflow.app.recovery.fetch import fetch
    from zenflow.app.recovery.fetch_by_stamp import fetch_by_stamp
    from zenflow.cli.views import fetch as view

    if run is not None and stamp is not None:
        raise UsageError("ZF003", "Name a run or a stamp, not both.")
    place = None if out is None else current_folder() / out
    console, settings = display.console, settings_here(where)
    if stamp is not None:
        found = wait_for(fetch_by_stamp(stamp, place, settings))
        console.show(view.draw_stamped(found, console.style, console.width))
        status = exits.STOPPED if found.failures else exits.DONE
        console.document(exits.WORDS[status], view.stamped_error(found), view.stamped_document(found))
        return status
    fetched = wait_for(fetch(run, place, settings))
    console.show(view.draw_fetch(fetched, console.style, console.width))
    status = exits.DONE if fetched.is_whole else exits.STOPPED
    console.document(exits.WORDS[status], view.fetch_error(fetched), view.fetch_document(fetched))
    return status
