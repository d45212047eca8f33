"""`zenflow fmt FILE…`: recipes laid out alike; comments, order and meaning stay."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder
from zenflow.cli.params.options import DisplayOptions, display_options
from zenflow.cli.terminal import exit_codes as exits


@click.command("fmt")
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE…")
@click.option("check", "--check", is_flag=True, help="Write nothing; status 1 where something would change.")
@click.option("diff", "--diff", is_flag=True, help="Write nothing; show what would change.")
@display_options
def command(recipes: tuple[str, ...], check: bool, diff: bool, display: DisplayOptions) -> int:
    """Lay out each RECIPE: two spaces a level, quotes where expressions need them. Comments and meaning stay."""
    from zenflow.app.authoring.fmt import formatted, write
    from zenflow.cli.views.problems import shown_path

    console = display.console
    found = [formatted(word, current_folder()) for word in recipes]
    changed = [one for one in found if one.differs]
    for one in changed:
        if diff:
            console.show("\n".join(one.diff()))
        elif check:
            console.show(f"{shown_path(str(one.path))} would be formatted")
        else:
            write(one)
            console.show(f"{shown_path(str(one.path))} formatted")
    names = [shown_path(str(one.path)) for one in changed]
    failed = check and bool(changed)
    told = {"code": "ZF076", "message": f"{len(changed)} to be formatted", "hint": "`zenflow fmt FILE` does it."}
    console.document(
        "failed" if failed else "done",
        told if failed else None,
        {"files": len(found), "changed": names, "written": not (check or diff)},
    )
    return exits.FAILED if failed else exits.DONE
