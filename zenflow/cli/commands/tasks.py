"""`zenflow tasks [ID]`: the account's tasks, one of them, or its end."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.running.event_loop import wait_for
from zenflow.errors import UsageError

STATUSES = ("created", "processing", "partial", "completed", "failed")  # docs/service.md, “Generation”, list_tasks


@click.command("tasks")
@click.argument("task_id", required=False, metavar="[ID]")
@click.option("--tool", metavar="NAME", help="Only tasks of this tool.")
@click.option("--status", type=click.Choice(STATUSES), help="Only tasks of this status.")
@click.option("--query", metavar="TEXT", help="Only tasks whose comment holds this (a run's stamp, for instance).")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, help="Where the page begins.")
@click.option("doomed", "--delete", metavar="ID", help="Delete this task, after asking. Nothing is refunded.")
@click.option("--yes", "-y", is_flag=True, help="With `--delete`: agree beforehand.")
@server_options
@display_options
def command(
    task_id: str | None,
    tool: str | None,
    status: str | None,
    query: str | None,
    limit: int,
    offset: int,
    doomed: str | None,
    yes: bool,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """List the account's tasks, newest first; with ID show one, its calls and what they gave."""
    from zenflow.app.queries import tasks
    from zenflow.cli.prompts.consent import agree_to_delete
    from zenflow.cli.views import tasks as view

    if yes and doomed is None:
        raise UsageError("ZF003", "`--yes` means something with `--delete ID` only.")
    if task_id is not None and doomed is not None:
        raise UsageError("ZF003", "Show a task or delete one, not both.", f"`zenflow tasks --delete {doomed}`")
    settings, console = settings_here(where), display.console
    if doomed is not None:
        gone = wait_for(tasks.delete(doomed, settings, agree_to_delete(console, yes=yes)))
        console.show(f"Task {gone.task.task_id} is deleted. Nothing was refunded.")
        console.document("done", None, {"server": gone.server, "deleted_task_id": gone.task.task_id})
    elif task_id is not None:
        found = wait_for(tasks.task(task_id, settings))
        console.show(view.draw_task(found, console.style, console.width))
        console.document("done", None, view.task_document(found))
    else:
        asked = tasks.TaskFilter(tool=tool, status=status, query=query, limit=limit, offset=offset)
        page = wait_for(tasks.tasks(asked, settings))
        console.show(view.draw_tasks(page, console.style, console.width))
        console.document("done", None, view.tasks_document(page))
    return 0
