"""`zenflow tools [NAME]`: the service's tools, or one of them; `zenflow tools sync` keeps them as files."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits
from zenflow.errors import UsageError

SYNC = "sync"


@click.command("tools")
@click.argument("name", required=False)
@click.option("model", "--model", metavar="M", help="With NAME: one model, its prompt guide and limits.")
@click.option("--out", type=NamedPath(), metavar="DIR", help="With `sync`: the folder of the snapshot.")
@click.option(
    "check", "--check", is_flag=True, help="With `sync`: write nothing; status 1 where something has changed."
)
@server_options
@display_options
def command(
    name: str | None, model: str | None, out: Path | None, check: bool, where: ServerOptions, display: DisplayOptions
) -> int:
    """List the tools; with NAME its parameters and models; with `sync` write them to schemas/tools/.

    `sync` says what has changed since: tools, parameters, models, gates and prices that came, went or moved.
    """
    from zenflow.app.queries import tools
    from zenflow.cli.views import tools as view
    from zenflow.cli.views.synced import draw_synced, stale_error, synced_document

    settings = settings_here(where)
    console = display.console
    if out is not None and name != SYNC:
        raise UsageError("ZF003", "`--out` means something with `zenflow tools sync` only.")
    if check and name != SYNC:
        raise UsageError("ZF003", "`--check` means something with `zenflow tools sync` only.")
    if model is not None and name in (None, SYNC):
        raise UsageError("ZF003", "`--model` means something with `zenflow tools NAME` only.")
    if name == SYNC:
        synced = wait_for(tools.sync(out, settings, check=check))
        console.show(draw_synced(synced, console.style, console.width))
        stale = check and not synced.is_current
        console.document("failed" if stale else "done", stale_error(synced) if stale else None, synced_document(synced))
        return exits.FAILED if stale else exits.DONE
    if name is None:
        catalog = wait_for(tools.tools(settings))
        console.show(view.draw_tools(catalog, console.style, console.width))
        console.document("done", None, view.tools_document(catalog))
        return 0
    if model is not None:
        one = wait_for(tools.model(name, model, settings))
        console.show(view.draw_model(one, console.style, console.width))
        console.document("done", None, view.model_document(one))
        return 0
    tool, account = wait_for(tools.tool(name, settings))
    console.show(view.draw_tool(tool, account, console.style, console.width))
    console.document("done", None, view.tool_document(tool))
    return 0
