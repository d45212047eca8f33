"""`zenflow run RECIPE`: plan, ask, do it, tell it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from zenflow.cli.commands.plan import show_plan
from zenflow.cli.here import recipe_words, settings_here
from zenflow.cli.options import Asked, Talk, Where, pick_option, recipe_options, server_options, talk_options


@click.command("run")
@recipe_options
@pick_option
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The folder of the files itself.")
@click.option("--yes", "-y", is_flag=True, help="Agree to the plan's price beforehand, and to nothing else.")
@click.option("--strict", is_flag=True, help="Refuse a plan of which only the expected case fits.")
@click.option("--dry-run", is_flag=True, help="The same as `zenflow plan`.")
@server_options
@talk_options
def command(
    asked: Asked,
    picks: Mapping[str, tuple[int, ...]],
    out: Path | None,
    yes: bool,
    strict: bool,
    dry_run: bool,
    where: Where,
    talk: Talk,
) -> int:
    """Run RECIPE: show the plan, ask, then make and save everything within the budget."""
    if dry_run:
        return show_plan(asked, where, talk, strict=strict)
    from zenflow.app.run import RunRequest, run
    from zenflow.cli.consent import agree_to_plan
    from zenflow.cli.driving import drive
    from zenflow.cli.ending import show_report, with_plan

    request = RunRequest(**recipe_words(asked), out=out, strict=strict, picks=picks)
    settings = settings_here(where)
    agree = agree_to_plan(talk.console, yes=yes)
    with with_plan(talk.console):
        report = drive(lambda hands: run(request, settings, agree, hands), talk.console)
    return show_report(report, talk.console)
