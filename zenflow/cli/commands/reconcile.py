"""`zenflow reconcile [RUN]`: what became of submissions that need a person's decision."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.params.parsers import parse_adoption, parse_resubmission
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits
from zenflow.report.next_steps import for_this_run


@click.command("reconcile")
@click.argument("run", required=False)
@click.option(
    "adopted",
    "--adopt",
    multiple=True,
    metavar="N=TASK[:CALLS]",
    help="Submission N is this task; CALLS (draw.0,draw.1) where the service does not tell.",
)
@click.option(
    "again",
    "--resubmit",
    multiple=True,
    metavar="N[=CREDITS]",
    help="Look once more, then send N again; for up to CREDITS where its price has risen.",
)
@click.option("written_off", "--write-off", multiple=True, type=int, metavar="N", help="Treat submission N as charged.")
@click.option("given_up", "--give-up", multiple=True, type=int, hidden=True)  # the spelling before `--write-off`
@click.option("--take-over", is_flag=True, help="Take the run from a process on another machine that is surely gone.")
@click.option(
    "--yes",
    "-y",
    is_flag=True,
    help="Agree beforehand to the price of `--resubmit`, and to `--adopt` without all evidence.",
)
@server_options
@display_options
def command(
    run: str | None,
    adopted: tuple[str, ...],
    again: tuple[str, ...],
    written_off: tuple[int, ...],
    given_up: tuple[int, ...],
    take_over: bool,
    yes: bool,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """Show what is known of RUN's submissions without an answer (left out: the newest run that has one), and decide.

    Without a decision nothing changes. Decisions are asked for on a terminal, or given as options.
    """
    from zenflow.app.recovery.reconcile import ReconcileRequest, reconcile
    from zenflow.cli.prompts.reconcile import reconcile_prompts
    from zenflow.cli.views.reconcile import draw_outcome, reconcile_document

    adoptions = [parse_adoption(word) for word in adopted]
    request = ReconcileRequest(
        run=run,
        adopt={number: task_id for number, task_id, _ in adoptions},
        named={number: named for number, _, named in adoptions if named},
        resubmit=dict(parse_resubmission(word) for word in again),
        write_off=tuple(dict.fromkeys((*written_off, *given_up))),
        take_over=take_over,
    )
    console = display.console
    view = wait_for(reconcile(request, settings_here(where), reconcile_prompts(console, yes=yes)))
    console.show(draw_outcome(view, console.style, console.width))
    error = None
    if view.failures:
        first = view.failures[0][1]
        hint = None if first.hint is None else for_this_run(first.hint, view.run_id)
        error = {"code": first.code, "message": first.message, "hint": hint}
    elif view.open_numbers:
        message = f"{len(view.open_numbers)} to be decided"
        error = {"code": "ZF642", "message": message, "hint": f"zenflow reconcile {view.run_id}"}
    status = view.failures[0][1].exit_status if view.failures else exits.STOPPED if view.open_numbers else exits.DONE
    console.document(exits.WORDS[status], error, reconcile_document(view))
    return status
