"""`zenflow graph RECIPE`: its steps as a graph, in five forms."""

from __future__ import annotations

from dataclasses import replace

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.input_options import InputsInOrder, Said, input_options
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.cli.running.event_loop import wait_for

FORMS = ["mermaid", "dot", "graphml", "text", "json"]


@click.command("graph", cls=InputsInOrder)
@click.argument("recipe")
@input_options
@click.option("--format", "form", type=click.Choice(FORMS), default="mermaid", help="Form of the graph [mermaid].")
@click.option("--expand", is_flag=True, help="Open recipes used as steps.")
@server_options
@display_options
def command(
    recipe: str, said: tuple[Said, ...], form: str, expand: bool, where: ServerOptions, display: DisplayOptions
) -> int:
    """Draw the steps of RECIPE as a graph, with the critical path. Asks no service."""
    from zenflow.app.planning.graphs.costs import costs_of
    from zenflow.app.planning.graphs.network import analyse, graphml
    from zenflow.app.planning.graphs.recipe_graph import graph
    from zenflow.app.planning.prepare import RecipeRequest
    from zenflow.cli.views.graph import draw_dot, draw_graph, draw_mermaid, graph_document

    console = replace(display.console, json=True) if form == "json" else display.console
    request = RecipeRequest(recipe=recipe, current=current_folder(), inputs=said)
    found = graph(request, expand=expand)
    costs = wait_for(costs_of(found, request, settings_here(where)))
    analysis = analyse(found, costs)
    if form == "text":
        console.show(draw_graph(found, analysis, costs, console.style, console.width))
    else:
        console.show(
            graphml(found, costs) if form == "graphml" else draw_dot(found) if form == "dot" else draw_mermaid(found)
        )
    console.document("done", None, graph_document(found, analysis, costs))
    return 0
