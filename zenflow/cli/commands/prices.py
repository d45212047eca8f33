"""`zenflow prices TOOL`: what one call costs with each model, cheapest first."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.params.parsers import parse_parameter
from zenflow.cli.running.event_loop import wait_for


@click.command("prices")
@click.argument("tool")
@click.option("given", "-p", "--param", multiple=True, metavar="KEY=VALUE", help="One parameter of the call.")
@click.option("--resolutions", metavar="A,B", help="Compare these; left out, all that there are.")
@server_options
@display_options
def command(
    tool: str, given: tuple[str, ...], resolutions: str | None, where: ServerOptions, display: DisplayOptions
) -> int:
    """Show what one call of TOOL costs with each of its models, cheapest first. Nothing is submitted.

    Required parameters that are not given are filled with stand-ins; the answer names them.
    """
    from zenflow.app.queries.prices import prices
    from zenflow.cli.views.prices import draw_prices, prices_document

    words = [parse_parameter(word) for word in given]
    wanted = [part.strip() for part in (resolutions or "").split(",") if part.strip()]
    found = wait_for(prices(tool, words, wanted, settings_here(where)))
    console = display.console
    console.show(draw_prices(found, console.style, console.width))
    console.document("done", None, prices_document(found))
    return 0
