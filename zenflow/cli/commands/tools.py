"""`zenflow tools [NAME]`: the service's tools, or one of them; `zenflow tools sync` keeps them as files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from zenflow.cli.here import settings_here
from zenflow.cli.options import Talk, Where, server_options, talk_options
from zenflow.errors import UsageError

SYNC = "sync"


@click.command("tools")
@click.argument("name", required=False)
@click.option("model", "--model", metavar="M", help="With NAME: one model, its prompt guide and limits.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="With `sync`: the folder of the snapshot.")
@server_options
@talk_options
def command(name: str | None, model: str | None, out: Path | None, where: Where, talk: Talk) -> int:
    """List the tools; with NAME its parameters and models; with `sync` write them to schemas/tools/."""
    from zenflow.app import tools
    from zenflow.cli.views import tools as view

    settings = settings_here(where)
    console = talk.console
    if out is not None and name != SYNC:
        raise UsageError("ZF003", "`--out` means something with `zenflow tools sync` only.")
    if model is not None and name in (None, SYNC):
        raise UsageError("ZF003", "`--model` means something with `zenflow tools NAME` only.")
    if name == SYNC:
        folder, catalog = asyncio.run(tools.sync(out, settings))
        console.show(f"{len(catalog.tools)} tools of {catalog.server} in {view.near(folder)}")
        console.document("done", None, {"folder": str(folder), "tools": sorted(catalog.tools)})
        return 0
    if name is None:
        catalog = asyncio.run(tools.tools(settings))
        console.show(view.draw_tools(catalog, console.ink, console.width))
        console.document("done", None, view.tools_document(catalog))
        return 0
    if model is not None:
        one = asyncio.run(tools.model(name, model, settings))
        console.show(view.draw_model(one, console.ink, console.width))
        console.document("done", None, view.model_document(one))
        return 0
    tool, account = asyncio.run(tools.tool(name, settings))
    console.show(view.draw_tool(tool, account, console.ink, console.width))
    console.document("done", None, view.tool_document(tool))
    return 0
