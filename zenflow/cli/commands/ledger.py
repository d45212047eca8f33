"""`zenflow ledger [RUN]`: what a run was charged, submission by submission."""

from __future__ import annotations

import asyncio

import click

from zenflow.cli import exits
from zenflow.cli.here import settings_here
from zenflow.cli.options import Talk, Where, server_options, talk_options


@click.command("ledger")
@click.argument("run", required=False)
@click.option("--check", is_flag=True, help="Compare with the account's transaction list (asks the service).")
@click.option("as_csv", "--csv", is_flag=True, help="Comma-separated rows.")
@server_options
@talk_options
def command(run: str | None, check: bool, as_csv: bool, where: Where, talk: Talk) -> int:
    """Show what RUN (left out: the last) was charged: per submission the quote, the charge, refunds."""
    from zenflow.app.ledger import ledger
    from zenflow.cli.views.ledger import draw_csv, draw_ledger, ledger_document

    view = asyncio.run(ledger(run, settings_here(where), check=check))
    console = talk.console
    console.show(draw_csv(view) if as_csv else draw_ledger(view, console.ink, console.width))
    console.document("done" if view.agrees else "differs", None, ledger_document(view))
    return exits.DONE if view.agrees else exits.FAILED
