"""`zenflow repo update [NAME]`: what a newer revision changes, costs and loses; then ask, then write the lock."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal import exit_codes as exits
from zenflow.errors import UsageError


@click.command("update")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--rev", metavar="REV", help="Take this revision [default: the newest tag, or the branch].")
@click.option("--check", is_flag=True, help="Write nothing; status 10 if something newer exists.")
@click.option("--yes", "-y", is_flag=True, help="Take the update without a question.")
@click.option("--accept-moved-tag", "accept_moved", is_flag=True, help="Take a tag that names another commit now.")
@click.option("form", "--format", type=click.Choice(["text", "markdown"]), default="text", help="Choose the form.")
@server_options
@display_options
def command(
    names: tuple[str, ...],
    rev: str | None,
    check: bool,
    yes: bool,
    accept_moved: bool,
    form: str,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """Show what newer revisions change in steps and credits, ask, and write zenflow.lock."""
    from zenflow.app.sharing.update import UpdateRequest, find_updates, take_updates
    from zenflow.cli.prompts.consent import agree_to_update
    from zenflow.cli.views.repo_update import draw_updates, updates_document, updates_markdown

    if rev is not None and len(names) != 1:
        raise UsageError("ZF003", "`--rev` is of one repository", "`zenflow repo update NAME --rev REV`.")
    if check and yes:
        raise UsageError("ZF003", "`--check` takes nothing, and `--yes` does", "Leave one of them out.")
    settings, console = settings_here(where), display.console
    request = UpdateRequest(names=names, rev=rev, accept_moved=accept_moved)
    updates = wait_for(find_updates(request, settings))
    text = updates_markdown(updates) if form == "markdown" else draw_updates(updates, console.style, console.width)
    console.show(text)
    newer = [one for one in updates if one.is_newer]
    if newer and not check:
        wanted = ", ".join(f"{one.name} to {one.pinned.now.rev}" for one in newer)
        console.show("")
        agree_to_update(console, f"Update {wanted}?", yes=yes)
        take_updates(newer, settings.workspace)
        console.show(f"Updated {wanted}. Commit zenflow.toml and zenflow.lock.")
    console.document("done", None, updates_document(updates, taken=bool(newer) and not check))
    return exits.TO_PAY if check and newer else exits.DONE
