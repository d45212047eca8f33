"""zenflow from Python: the use cases of the command line as functions. Prints nothing, asks nobody.

    from zenflow import api

    plan = await api.plan("recipes/photoshoot.yaml", inputs={"photo": "me.jpg"})
    report = await api.run("recipes/photoshoot.yaml", agree=lambda plan: plan.credits.worst <= 20)

Settings are those of the workspace around `current`, as on the command line; `server` and `state` override them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from zenflow.app.config.settings import Settings, load_settings
from zenflow.app.config.workspace import find_workspace
from zenflow.app.planning.plan import plan as _plan
from zenflow.app.planning.prepare import RecipeRequest
from zenflow.app.planning.validate import Validation
from zenflow.app.planning.validate import validate as _validate
from zenflow.app.queries.runs import SeenRun
from zenflow.app.queries.runs import show as _show
from zenflow.app.recovery.fetch import FetchView
from zenflow.app.recovery.fetch import fetch as _fetch
from zenflow.app.running.resume import Rest, ResumeRequest
from zenflow.app.running.resume import resume as _resume
from zenflow.app.running.run import RunCallbacks, RunRequest
from zenflow.app.running.run import run as _run
from zenflow.engine.model.ports import StopSignal
from zenflow.engine.model.report import Listener, RunReport, Silent
from zenflow.errors import Refused
from zenflow.plan.model import Plan


async def validate(
    recipe: str | Path,
    *,
    inputs: Mapping[str, Any] | None = None,
    current: Path | None = None,
    server: str | None = None,
) -> Validation:
    """All problems of a recipe."""
    here = current or Path.cwd()
    request = RecipeRequest(recipe=str(recipe), current=here, inputs=_words(inputs))
    return await _validate(request, _settings(here, server, None))


async def plan(
    recipe: str | Path,
    *,
    inputs: Mapping[str, Any] | None = None,
    budget: Decimal | int | None = None,
    current: Path | None = None,
    server: str | None = None,
    state: Path | None = None,
) -> Plan:
    """What a run would do and cost. Raises InvalidRecipe."""
    here = current or Path.cwd()
    request = RecipeRequest(recipe=str(recipe), current=here, inputs=_words(inputs), budget=_credits(budget))
    return await _plan(request, _settings(here, server, state))


async def run(
    recipe: str | Path,
    *,
    agree: Callable[[Plan], bool],
    inputs: Mapping[str, Any] | None = None,
    budget: Decimal | int | None = None,
    out: Path | None = None,
    current: Path | None = None,
    server: str | None = None,
    state: Path | None = None,
    listener: Listener | None = None,
    stop: StopSignal | None = None,
) -> RunReport:
    """Do a recipe. `agree` sees the plan before anything is uploaded or spent; false refuses it."""
    here = current or Path.cwd()
    request = RunRequest(recipe=str(recipe), current=here, inputs=_words(inputs), budget=_credits(budget), out=out)

    def asked(planned: Plan) -> None:
        if not agree(planned):
            raise Refused("ZF665", "Not agreed to. Nothing was spent.")

    callbacks = RunCallbacks(listener or Silent(), stop or StopSignal(), lambda run_id, folder: None)
    return await _run(request, _settings(here, server, state), asked, callbacks)


async def resume(
    run: str | None = None,
    *,
    agree: Callable[[Rest], bool],
    budget: Decimal | int | None = None,
    take_over: bool = False,
    current: Path | None = None,
    server: str | None = None,
    state: Path | None = None,
    listener: Listener | None = None,
    stop: StopSignal | None = None,
) -> RunReport:
    """Continue a run (default: the most recent resumable one). Return its report.

    `agree` sees what is left and its price in credits; false refuses it. Raises NoSuchRun, RunBusy, Refused.
    """
    here = current or Path.cwd()

    def asked(rest: Rest) -> None:
        if not agree(rest):
            raise Refused("ZF665", "Not agreed to. Nothing was spent.")

    request = ResumeRequest(run=run, budget=_credits(budget), take_over=take_over, current=here)
    callbacks = RunCallbacks(listener or Silent(), stop or StopSignal(), lambda run_id, folder: None)
    return await _resume(request, _settings(here, server, state), asked, callbacks)


async def fetch(
    run: str | None = None,
    *,
    out: Path | None = None,
    current: Path | None = None,
    server: str | None = None,
    state: Path | None = None,
) -> FetchView:
    """Download every paid result of a run (default: the last) into its folder or `out`. Spend nothing."""
    return await _fetch(run, out, _settings(current or Path.cwd(), server, state))


async def show(run: str | None = None, *, current: Path | None = None, state: Path | None = None) -> SeenRun:
    """Return a run (default: the last) as its journal tells it, offline. Raises NoSuchRun."""
    return await _show(run, _settings(current or Path.cwd(), None, state))


def _settings(current: Path, server: str | None, state: Path | None) -> Settings:
    said = {"service.server": server, "state.dir": None if state is None else str(state)}
    overrides = {key: (text, key) for key, text in said.items() if text is not None}
    return load_settings(find_workspace(current), os.environ, overrides, current=current)


def _words(inputs: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """Values as words of the command line: text as it is, the rest as JSON (which the input's type reads)."""
    return tuple(
        (name, value.replace("@", "@@", 1) if value.startswith("@") else value)
        if isinstance(value, str)
        else (name, str(value) if isinstance(value, Path) else json.dumps(value))
        for name, value in (inputs or {}).items()
    )


def _credits(amount: Decimal | int | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)
