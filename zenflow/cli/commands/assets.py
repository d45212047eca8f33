"""`zenflow assets get ID…` and `zenflow assets preview ID…`: files by their asset ids."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli import exits
from zenflow.cli.here import settings_here
from zenflow.cli.options import Talk, Where, server_options, talk_options
from zenflow.cli.paths import NamedPath
from zenflow.cli.waiting import wait_for


@click.command("assets")
@click.argument("what", type=click.Choice(["get", "preview"]))
@click.argument("asset_ids", nargs=-1, required=True, metavar="ID…")
@click.option("--out", type=NamedPath(), metavar="DIR", help="The folder of the files.")
@server_options
@talk_options
def command(what: str, asset_ids: tuple[str, ...], out: Path | None, where: Where, talk: Talk) -> int:
    """Fetch assets by their ids: `get` the originals, `preview` reduced pictures of them. Costs nothing."""
    from zenflow.app.assets import fetch
    from zenflow.cli.views.assets import assets_document, draw_assets, first_failure

    found = wait_for(fetch(asset_ids, what == "preview", out, settings_here(where)))
    console = talk.console
    console.show(draw_assets(found, console.ink, console.width))
    console.document("failed" if found.failed else "done", first_failure(found), assets_document(found))
    return exits.FAILED if found.failed else exits.DONE
