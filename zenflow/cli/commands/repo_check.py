"""`zenflow repo check [PATH]`: for authors, before a release."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options
from zenflow.cli.params.parsers import parse_increase
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits


@click.command("check")
@click.argument("path", required=False, type=NamedPath())
@click.option("--max-increase", metavar="N[%]", help="Fail when a recipe becomes dearer than this.")
@click.option("--no-tests", is_flag=True, help="Leave out the cases of *.test.yaml.")
@click.option("form", "--format", type=click.Choice(["text", "github"]), default="text", help="Choose the form.")
@display_options
def command(path: Path | None, max_increase: str | None, no_tests: bool, form: str, display: DisplayOptions) -> int:
    """Check the recipes of PATH (default: this folder): validity, tests, version numbers."""
    from zenflow.app.sharing.check import CheckRequest, check
    from zenflow.cli.views.repo_check import show_check
    from zenflow.plan.output.diff import Limit

    increase = parse_increase(max_increase)
    limit = None if increase is None else Limit(*increase)
    folder = current_folder() / (path or Path())
    request = CheckRequest(folder=folder, limit=limit, run_tests=not no_tests)
    report = wait_for(check(request, settings_here(ServerOptions())))
    show_check(report, display.console, form)
    return exits.DONE if report.is_good else exits.FAILED
