"""`zenflow why STEP.2`: which part of its request differs from an earlier run's."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.params.parsers import parse_assignment
from zenflow.cli.running.event_loop import wait_for


@click.command("why")
@click.argument("instance", metavar="STEP[.I]")
@click.argument("recipe", required=False)
@click.option("--run", "run", metavar="RUN", help="Compare with this run; left out: the last.")
@click.option("inputs", "-i", "--input", multiple=True, metavar="NAME=VALUE", help="Instead of the run's own input.")
@server_options
@display_options
def command(
    instance: str,
    recipe: str | None,
    run: str | None,
    inputs: tuple[str, ...],
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """Say why STEP.I would be made new, or kept, by a run of RECIPE (left out: the run's own) with --reuse RUN."""
    from zenflow.app.planning.explain_reuse import WhyRequest, why
    from zenflow.cli.views.why import draw_why, why_document

    words = tuple(parse_assignment(word) for word in inputs)
    request = WhyRequest(instance=instance, current=current_folder(), recipe=recipe, run=run, inputs=words)
    found = wait_for(why(request, settings_here(where)))
    display.console.show(draw_why(found, display.console.style, display.console.width))
    display.console.document("done", None, why_document(found))
    return 0
