"""`zenflow run RECIPE`: plan, ask, do it, tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zenflow.cli.commands.plan import PlanDisplay, show_plan
from zenflow.cli.params.command_context import current_folder, recipe_words, recipes_here, settings_here
from zenflow.cli.params.input_options import InputsInOrder
from zenflow.cli.params.options import (
    DisplayOptions,
    RecipeOptions,
    ReuseFlags,
    ServerOptions,
    display_options,
    label_option,
    maybe_recipe_options,
    pick_option,
    reuse_options,
    server_options,
)
from zenflow.cli.params.paths import NamedPath
from zenflow.errors import UsageError

if TYPE_CHECKING:
    from zenflow.app.config.settings import Settings
    from zenflow.engine.model.report import RunReport


@click.command("run", cls=InputsInOrder)
@maybe_recipe_options
@reuse_options
@pick_option
@click.option("--plan", "plan_file", type=NamedPath(), metavar="FILE", help="Exactly that saved plan.")
@click.option("--out", type=NamedPath(), metavar="DIR", help="The folder of the files itself.")
@label_option("Mark the run for the cost history, as in client=acme.")
@click.option("--yes", "-y", is_flag=True, help="Agree to the plan's price beforehand, and to nothing else.")
@click.option("--strict", is_flag=True, help="Refuse a plan of which only the expected case fits.")
@click.option("--dry-run", is_flag=True, help="The same as `zenflow plan`.")
@server_options
@display_options
def command(
    asked: RecipeOptions,
    options: ReuseFlags,
    plan_file: Path | None,
    picks: Mapping[str, tuple[int, ...]],
    out: Path | None,
    labels: Mapping[str, str],
    yes: bool,
    strict: bool,
    dry_run: bool,
    where: ServerOptions,
    display: DisplayOptions,
) -> int:
    """Run RECIPE: show the plan, ask, then make and save everything within the budget."""
    if plan_file is not None:
        words = tuple(one for one in asked.inputs if isinstance(one, tuple))
        if (
            asked.recipe
            or asked.budget is not None
            or asked.maxima
            or asked.locked
            or len(words) < len(asked.inputs)
            or options != ReuseFlags()
            or dry_run
        ):
            raise UsageError(
                "ZF003",
                "`--plan FILE` says all of that itself: recipe, inputs, budget, reuse.",
                f"`zenflow run --plan {plan_file}`.",
            )
        return _run_plan(SavedRun(plan_file, words, picks, out, strict, labels, yes), where, display)
    if not asked.recipe:
        hint = recipes_here("zenflow run") or "`zenflow run RECIPE`, or `zenflow run --plan FILE`."
        raise UsageError("ZF003", "Missing argument 'RECIPE'.", hint)
    if dry_run:
        return show_plan(asked, options, where, display, PlanDisplay(strict=strict))
    from zenflow.app.running.run import RunRequest, run
    from zenflow.cli.prompts.assumptions import showing_assumptions
    from zenflow.cli.prompts.consent import agree_to_plan
    from zenflow.cli.running.driver import drive
    from zenflow.cli.running.summary import show_report, with_plan

    request = RunRequest(**recipe_words(asked, options), out=out, strict=strict, picks=picks, labels=labels)
    settings = settings_here(where)
    agree = agree_to_plan(display.console, yes=yes, notice=showing_assumptions(display.console, settings))
    with with_plan(display.console):
        report = drive(lambda callbacks: run(request, settings, agree, callbacks), display.console)
    return show_report(_chosen(report, settings, display), display.console)


@dataclass(frozen=True, slots=True)
class SavedRun:
    """What may be said of a run of a saved plan."""

    file: Path
    inputs: tuple[tuple[str, str], ...]
    picks: Mapping[str, tuple[int, ...]]
    out: Path | None
    strict: bool
    labels: Mapping[str, str]
    yes: bool


def _run_plan(said: SavedRun, where: ServerOptions, display: DisplayOptions) -> int:
    """A plan that you saved is agreed to, and is not asked about again; one that somebody else made is."""
    from zenflow.app.running.run_saved import SavedRunRequest, is_own_file, run_saved
    from zenflow.cli.prompts.consent import agree_to_plan
    from zenflow.cli.running.driver import drive
    from zenflow.cli.running.summary import show_report, with_plan

    request = SavedRunRequest(
        file=said.file,
        current=current_folder(),
        inputs=said.inputs,
        out=said.out,
        strict=said.strict,
        picks=said.picks,
        labels=said.labels,
    )
    settings = settings_here(where)
    agree = agree_to_plan(display.console, yes=said.yes or is_own_file(request, settings))
    with with_plan(display.console):
        report = drive(lambda callbacks: run_saved(request, settings, agree, callbacks), display.console)
    return show_report(_chosen(report, settings, display), display.console)


def _chosen(report: RunReport, settings: Settings, display: DisplayOptions) -> RunReport:
    """What is left to choose is asked for; a run without choices loads nothing of going on with one."""
    if not report.choices:
        return report
    from zenflow.cli.prompts.picks import until_chosen

    return until_chosen(report, settings, display.console)
