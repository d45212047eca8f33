"""`zenflow doctor`: is everything as it should be; `--probe` measures the server, `--rebuild` a damaged journal."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.params.parsers import parse_budget
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits
from zenflow.errors import UsageError


@click.command("doctor")
@click.option(
    "--probe", "probing", is_flag=True, help="Measure what zenflow assumes of the server: one small paid run."
)
@click.option("--spend", metavar="N", default="2", show_default=True, help="With `--probe`: at most N credits.")
@click.option("--yes", "-y", is_flag=True, help="With `--probe`: agree to its price beforehand.")
@click.option("--rebuild", "rebuilding", is_flag=True, help="Keep a damaged journal aside and build a new one.")
@server_options
@display_options
def command(
    probing: bool, spend: str, yes: bool, rebuilding: bool, where: ServerOptions, display: DisplayOptions
) -> int:
    """Check the installation, the workspace, the journal, the server and the sign-in. Spends nothing by itself."""
    from zenflow.cli.views import doctor as view

    if probing and rebuilding:
        raise UsageError("ZF003", "Probe the server or rebuild the journal, not both.")
    console, settings = display.console, settings_here(where)
    if rebuilding:
        from zenflow.app.queries.rebuild_journal import rebuild

        built = wait_for(rebuild(settings))
        console.show(view.draw_rebuild(built, console.style, console.width))
        console.document("done", None, view.rebuild_document(built))
        return exits.DONE
    if probing:
        return _probe(spend, yes, where, display)
    from zenflow.app.queries.doctor import doctor

    found = wait_for(doctor(settings))
    console.show(view.draw_checkup(found, console.style, console.width))
    wrong = next((check for check in found.checks if check.mark == "wrong"), None)
    error = None if wrong is None else {"code": "ZF073", "message": wrong.said, "hint": wrong.hint or None}
    status = exits.DONE if found.is_well else exits.FAILED
    console.document(exits.WORDS[status], error, view.checkup_document(found))
    return status


def _probe(spend: str, yes: bool, where: ServerOptions, display: DisplayOptions) -> int:
    from zenflow.app.running.probe import ProbeView, probe
    from zenflow.app.running.run import RunCallbacks
    from zenflow.cli.prompts.consent import agree_to_plan
    from zenflow.cli.running.driver import drive
    from zenflow.cli.views import doctor as view
    from zenflow.engine.model.report import RunReport

    console, settings = display.console, settings_here(where)
    most = parse_budget(spend)
    assert most is not None
    seen: list[ProbeView] = []

    async def work(callbacks: RunCallbacks) -> RunReport:
        seen.append(await probe(settings, most, agree_to_plan(console, yes=yes), callbacks))
        return seen[0].report

    report = drive(work, console)
    console.show(view.draw_probe(seen[0], console.style, console.width))
    false = [one for one in seen[0].findings if one.holds is False]
    error = None if not false else {"code": "ZF675", "message": false[0].said, "hint": "`zenflow doctor` keeps it"}
    status = exits.FAILED if false or report.exit_status else exits.DONE
    console.document(exits.WORDS[status], error, view.probe_document(seen[0]))
    return status
