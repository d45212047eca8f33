"""`zenflow graph RECIPE`: its steps as a Mermaid graph."""

from __future__ import annotations

import click

from zenflow.cli.params.command_context import current_folder
from zenflow.cli.params.options import Talk, talk_options


@click.command("graph")
@click.argument("recipe")
@talk_options
def command(recipe: str, talk: Talk) -> int:
    """Draw the steps of RECIPE as a Mermaid graph, for a page or a pull request. Asks no service."""
    from zenflow.app.planning.graph import graph
    from zenflow.app.planning.prepare import RecipeRequest
    from zenflow.cli.views.graph import draw_mermaid, graph_document

    found = graph(RecipeRequest(recipe=recipe, current=current_folder()))
    talk.console.show(draw_mermaid(found))
    talk.console.document("done", None, graph_document(found))
    return 0
