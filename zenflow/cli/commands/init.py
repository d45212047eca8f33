"""`zenflow init [DIR]`: a first workspace that works."""

from __future__ import annotations

from pathlib import Path

import click

from zenflow.cli.params.command_context import current_folder
from zenflow.cli.params.options import DisplayOptions, display_options
from zenflow.cli.params.paths import NamedPath


@click.command("init")
@click.argument("folder", metavar="[DIR]", required=False, type=NamedPath())
@display_options
def command(folder: Path | None, display: DisplayOptions) -> int:
    """Make a workspace in DIR (left out: here): settings, a first recipe with an example photo. Never overwrites."""
    from zenflow.app.authoring.init import init
    from zenflow.cli.terminal.headings import relative_path

    made = init(current_folder() / (folder or "."))
    lines = [f"  made  {name}" for name in made.made] + [f"  left  {name} (there already)" for name in made.left]
    place = relative_path(made.folder)
    go = "" if place == "." else f"cd {place} && "
    lines += ["", f"→ {go}zenflow run first", "  runs it on the sandbox: pictures are drawn, free of charge"]
    display.console.show("\n".join(lines))
    document = {"folder": str(made.folder), "made": list(made.made), "left": list(made.left)}
    display.console.document("done", None, document)
    return 0
