"""`zenflow ledger [RUN]`: what runs were charged, call by call, and whether the account's own list agrees."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import Talk, Where, server_options, talk_options
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits
from zenflow.errors import UsageError


@click.command("ledger")
@click.argument("run", required=False)
@click.option("--check", is_flag=True, help="Compare with the account's transaction list, row by row; take in refunds.")
@click.option("every", "--all", is_flag=True, help="All runs of this workspace, by recipe revision.")
@click.option("as_csv", "--csv", is_flag=True, help="Comma-separated rows, one per call.")
@server_options
@talk_options
def command(run: str | None, check: bool, every: bool, as_csv: bool, where: Where, talk: Talk) -> int:
    """Show what RUN (left out: the last) was charged: per call its quote, charge and refund, with task and call ids."""
    from zenflow.app.recovery.ledger import by_revision, ledger
    from zenflow.cli.views import ledger as view

    console, settings = talk.console, settings_here(where)
    if every:
        if run is not None or check:
            raise UsageError("ZF003", "`--all` shows every run as the journal knows it: no RUN, no `--check`.")
        revisions = wait_for(by_revision(settings))
        runs = [one for revision in revisions for one in revision.runs]
        console.show(view.draw_csv(runs) if as_csv else view.draw_revisions(revisions, console.ink, console.width))
        console.document("done", None, view.revisions_document(revisions))
        return exits.DONE
    found = wait_for(ledger(run, settings, check=check))
    console.show(view.draw_csv([found]) if as_csv else view.draw_ledger(found, console.ink, console.width))
    console.document("done" if found.agrees else "differs", None, view.ledger_document(found))
    return exits.DONE if found.agrees else exits.FAILED
