"""`zenflow ledger [RUN]`: what runs were charged, call by call or over time, and whether the account agrees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, label_option, server_options
from zenflow.cli.params.parsers import parse_day
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits
from zenflow.errors import UsageError

GROUPS = ("day", "week", "month", "recipe", "repository", "model", "tool", "label")


@click.command("ledger")
@click.argument("run", required=False)
@click.option("--check", is_flag=True, help="Compare with the account's transaction list.")
@click.option("every", "--all", is_flag=True, help="Show all runs of this workspace, by recipe revision.")
@click.option("--by", type=click.Choice(GROUPS), help="Add up all runs by this group.")
@click.option("--since", metavar="DAY", help="Count from this UTC day on, such as 2026-11-01.")
@click.option("--until", metavar="DAY", help="Count up to this UTC day, included.")
@label_option("Count runs with this label only.")
@click.option("as_csv", "--csv", is_flag=True, help="Print comma-separated rows.")
@server_options
@display_options
def command(
    run: str | None,
    check: bool,
    every: bool,
    by: str | None,
    since: str | None,
    until: str | None,
    labels: dict[str, str],
    as_csv: bool,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """Show what RUN (default: the last run) was charged: per call its quote, charge and refund, with its ids.

    `--by month` adds up all runs of this workspace; each server and the sandbox have their own sums.
    """
    over_time = by is not None or since is not None or until is not None or bool(labels)
    if (every or over_time) and (run is not None or check):
        hint = "Leave out RUN and `--check`, or leave out `--all`, `--by`, `--since`, `--until` and `--label`."
        raise UsageError("ZF003", "invalid combination: one run, or all runs", hint)
    if over_time and not every:
        return _over_time(by or "month", (since, until), labels, as_csv, where, display)
    if every and over_time:
        raise UsageError("ZF003", "invalid combination: `--all` and `--by`", "`--by` already counts all runs.")
    return _every_run(as_csv, where, display) if every else _one_run(run, check, as_csv, where, display)


def _over_time(
    by: str,
    days: Sequence[str | None],
    labels: dict[str, str],
    as_csv: bool,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    from zenflow.app.queries.costs import CostQuery, costs
    from zenflow.cli.views.costs import costs_document, draw_costs
    from zenflow.report.cost_history import costs_csv

    since, until = (_day(text) for text in days)
    settings, console = settings_here(where), display.console
    server = settings.server if where.server is not None else None
    entries = wait_for(costs(CostQuery(since, until, server, labels), settings))
    console.show(costs_csv(entries, by) if as_csv else draw_costs(entries, by, console.style, console.width))
    console.document("done", None, costs_document(entries, by))
    return exits.DONE


def _day(text: str | None) -> date | None:
    return None if text is None else parse_day(text)


def _every_run(as_csv: bool, where: ServerOptions, display: DisplayOptions) -> int:
    from zenflow.app.recovery.ledger import by_revision
    from zenflow.cli.views import ledger as view

    console, settings = display.console, settings_here(where)
    server = settings.server if where.server is not None else None
    revisions = wait_for(by_revision(settings, server))
    runs = [one for revision in revisions for one in revision.runs]
    console.show(view.draw_csv(runs) if as_csv else view.draw_revisions(revisions, console.style, console.width))
    console.document("done", None, view.revisions_document(revisions))
    return exits.DONE


def _one_run(run: str | None, check: bool, as_csv: bool, where: ServerOptions, display: DisplayOptions) -> int:
    from zenflow.app.recovery.ledger import ledger
    from zenflow.cli.views import ledger as view

    console = display.console
    found = wait_for(ledger(run, settings_here(where), check=check))
    console.show(view.draw_csv([found]) if as_csv else view.draw_ledger(found, console.style, console.width))
    console.document("done" if found.agrees else "differs", None, view.ledger_document(found))
    return exits.DONE if found.agrees else exits.FAILED
