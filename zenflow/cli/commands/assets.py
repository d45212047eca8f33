"""`zenflow assets get ID…` and `zenflow assets preview ID…`: files by their asset ids."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits


@click.command("assets")
@click.argument("what", type=click.Choice(["get", "preview"]))
@click.argument("asset_ids", nargs=-1, required=True, metavar="ID…")
@click.option("--out", type=NamedPath(), metavar="DIR", help="The folder of the files.")
@server_options
@display_options
def command(
    what: str, asset_ids: tuple[str, ...], out: Path | None, where: ServerOptions, display: DisplayOptions
) -> int:
    """Fetch assets by their ids: `get` the originals, `preview` reduced pictures of them. Costs nothing."""
    from zenflow.app.queries.assets import fetch
    from zenflow.cli.views.assets import assets_document, draw_assets, first_failure

    found = wait_for(fetch(asset_ids, what == "preview", out, settings_here(where)))
    console = display.console
    console.show(draw_assets(found, console.style, console.width))
    console.document("failed" if found.failed else "done", first_failure(found), assets_document(found))
    return exits.FAILED if found.failed else exits.DONE
