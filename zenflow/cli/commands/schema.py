"""`zenflow schema`: the JSON Schema of recipes for editors, with the parameters and models of the service's tools."""

from __future__ import annotations

import json
from pathlib import Path

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.running.event_loop import wait_for
from zenflow.errors import UsageError


@click.command("schema")
@click.option("plain", "--plain", is_flag=True, help="Without tools: what every recipe may hold.")
@click.option("offline", "--offline", is_flag=True, help="With the tools of the last snapshot.")
@click.option("out", "-o", "--output", type=NamedPath(), metavar="FILE", help="Write it to FILE.")
@server_options
@display_options
def command(plain: bool, offline: bool, out: Path | None, where: ServerOptions, display: DisplayOptions) -> int:
    """Print the schema of recipes that the YAML language server completes, explains and checks with.

    The first line of a recipe names it: `# yaml-language-server: $schema=FILE`.
    """
    from zenflow.app.planning.recipe_schema import schema_of
    from zenflow.cli.views.problems import shown_path
    from zenflow.host.writing import replace_file
    from zenflow.recipe.schema.structure import recipe_schema

    if plain and offline:
        raise UsageError("ZF003", "`--plain` asks no service, and so there is nothing to be offline for.")
    schema = recipe_schema() if plain else wait_for(schema_of(settings_here(where), offline=offline))
    console = display.console
    text = json.dumps(schema, indent=2, ensure_ascii=False)
    if out is None:
        if not console.json:
            console.show(text)
        console.document("done", None, {"schema": schema})
        return 0
    try:
        replace_file(out, text + "\n")
    except OSError as error:
        raise UsageError("ZF077", f"The schema cannot be written to {out}: {error.strerror}.") from error
    console.show(
        f"Written to {shown_path(str(out))}: begin a recipe with `# yaml-language-server: $schema={out.name}`."
    )
    console.document("done", None, {"file": str(out)})
    return 0
