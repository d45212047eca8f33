"""`zenflow stop RUN`: drain a run from another terminal."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, state_option
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.views.runs import status_word


@click.command("stop")
@click.argument("run", required=False)
@state_option
@display_options
def command(run: str | None, where: ServerOptions, display: DisplayOptions) -> int:
    """Ask RUN (left out: the one that is going) to submit nothing new, wait for what is paid, and save it."""
    from zenflow.app.queries.runs import stop

    row = wait_for(stop(run, settings_here(where)))
    console = display.console
    if row.holder_alive:
        console.show(f"{row.run_id} was asked to stop: it waits for what is paid and saves it.")
    else:
        console.show(f"Nobody works on {row.run_id}: it is {status_word(row)}.")
    console.document("done", None, {"run_id": row.run_id, "asked": row.holder_alive, "run_status": status_word(row)})
    return 0
