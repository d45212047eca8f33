"""`zenflow test [PATH]`: the cases of recipes, each on a sandbox of its own."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits


@click.command("test")
@click.argument("path", required=False, type=NamedPath())
@click.option("--update", is_flag=True, help="Keep the plans of today as the golden ones.")
@display_options
def command(path: Path | None, update: bool, display: DisplayOptions) -> int:
    """Run every case of PATH (a *.test.yaml or a folder; left out: recipes/) on the embedded sandbox. Nothing is spent."""
    from zenflow.app.authoring.recipe_tests import TestRequest, test
    from zenflow.cli.views.test import draw_tests, tests_document

    report = wait_for(
        test(TestRequest(path=path, current=current_folder(), update=update), settings_here(ServerOptions()))
    )
    display.console.show(draw_tests(report, display.console.style, display.console.width))
    error = None
    if report.failed:
        error = {"code": "ZF068", "message": f"{report.failed} of {report.count} cases do not hold.", "hint": None}
    display.console.document("failed" if report.failed else "done", error, tests_document(report))
    return exits.FAILED if report.failed else exits.DONE
