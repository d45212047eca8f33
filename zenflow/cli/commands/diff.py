"""`zenflow diff A B`: what a change costs, before it is paid."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.input_options import InputsInOrder, Said, input_options
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.params.parsers import parse_budget, parse_increase
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits


@click.command("diff", cls=InputsInOrder)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@input_options
@click.option("--max-increase", metavar="N[%]", help="Fail (3) when the total grows by more.")
@click.option("--budget", metavar="N", help="Fail (3) when the worst case of B is over N credits.")
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", help="How to show it.")
@server_options
@display_options
def command(
    before: str,
    after: str,
    said: tuple[Said, ...],
    max_increase: str | None,
    budget: str | None,
    form: str,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """Compare what A and B cost. Each is a recipe, a saved plan, a run, or REV:path in git.

    Inputs are given to each side that has them.
    """
    from zenflow.app.planning.diff import DiffRequest, diff, refused_by
    from zenflow.cli.error_boundary import error_document
    from zenflow.cli.views.diff import diff_markdown, draw_diff
    from zenflow.cli.views.problems import draw_error
    from zenflow.plan.output.diff import Limit, difference_document

    increase, most = parse_increase(max_increase), parse_budget(budget)
    limit = None if increase is None else Limit(*increase)
    request = DiffRequest(
        before=before,
        after=after,
        current=current_folder(),
        inputs=said,
    )
    found = wait_for(diff(request, settings_here(where)))
    console = display.console
    console.show(diff_markdown(found) if form == "markdown" else draw_diff(found, console.style, console.width))
    refused = refused_by(found, limit, most)
    if refused is None:
        console.document("done", None, difference_document(found))
        return exits.DONE
    console.error(draw_error(refused.message, refused.code, refused.hint, console.message_style, console.text_width))
    console.document("refused", error_document(refused), difference_document(found))
    return exits.REFUSED
