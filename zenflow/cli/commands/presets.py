"""`zenflow presets [QUERY]`: the service's presets, one of them, or one as a step of a recipe."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.running.event_loop import wait_for
from zenflow.errors import UsageError
from zenflow.ids import is_uuid


@click.command("presets")
@click.argument("query", required=False, metavar="[QUERY|ID]")
@click.option("--tool", metavar="NAME", help="Only presets of this tool.")
@click.option("tags", "--tag", multiple=True, metavar="TAG", help="Only presets with one of these tags.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("as_step", "--step", is_flag=True, help="With ID: only the YAML of the step.")
@server_options
@display_options
def command(
    query: str | None,
    tool: str | None,
    tags: tuple[str, ...],
    limit: int,
    as_step: bool,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """List presets, or search them; with an ID show that one and the step that it makes.

    `zenflow presets ID --step >> recipe.yaml` adds it below `steps:`. Nothing is submitted.
    """
    from zenflow.app.queries import presets
    from zenflow.cli.views import presets as view

    settings, console = settings_here(where), display.console
    if query is not None and is_uuid(query):
        found = wait_for(presets.preset(query, settings))
        console.show(found.step.rstrip("\n") if as_step else view.draw_preset(found, console.style, console.width))
        console.document("done", None, view.preset_document(found))
        return 0
    if as_step:
        raise UsageError("ZF003", "`--step` writes out one preset: name its ID.", "`zenflow presets --json` has them.")
    listed = wait_for(presets.presets(query, tool, tags, limit, settings))
    console.show(view.draw_presets(listed, console.style, console.width))
    console.document("done", None, view.presets_document(listed))
    return 0
