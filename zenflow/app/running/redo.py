"""Make one result again: a new run with that run's recipe and inputs, in which everything else is reused.

A changed prompt or seed goes with the run, so that a resume sends the same. The rest of the request is the recipe's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.wiring import ReadOnlyConnection
from zenflow.app.planning.prepare import Loaded, make_plan
from zenflow.app.planning.reuse_options import ReuseOptions
from zenflow.app.queries import runs
from zenflow.app.running.resume import on_server_of
from zenflow.app.running.run import Agree, RunCallbacks, RunRequest, begin_and_execute
from zenflow.engine.model.recipe_record import stored_recipe
from zenflow.engine.model.report import RunReport
from zenflow.errors import UsageError
from zenflow.history.events import RunStarted
from zenflow.history.fold import fold
from zenflow.history.state import RunState
from zenflow.journal.base import Journal
from zenflow.plan.model import Plan
from zenflow.recipe.inputs.bind import BoundInputs
from zenflow.report.lineage import PROMPT_KEYS
from zenflow.report.verdict import refusal_of
from zenflow.suggest import did_you_mean

NO_INSTANCE, CANNOT_SET = "ZF080", "ZF081"
SEED = "seed"
INSTANCES_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RedoRequest:
    """`instance`: the address of a paid call, such as `edit.1`. `changes`: `prompt` and `seed` only."""

    instance: str
    run: str | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] | None = None  # None: those of the run
    out: Path | None = None
    current: Path = Path()


@dataclass(frozen=True, slots=True)
class _Prepared:
    request: RunRequest
    loaded: Loaded
    settings: Settings


async def plan_redo(request: RedoRequest, settings: Settings) -> Plan:
    """Return the plan of the new run. Raises NoSuchRun, and UsageError for an instance that cannot be made again."""
    prepared = await _prepare(request, settings)
    async with wiring.connect_read_only(prepared.settings) as to:
        return await _plan(prepared, to)


async def redo(request: RedoRequest, settings: Settings, agree: Agree, callbacks: RunCallbacks) -> RunReport:
    """Make the result again and return the report of the new run. Raises what refused it before it began."""
    prepared = await _prepare(request, settings)
    async with wiring.connect(prepared.settings) as to:
        plan = await _plan(prepared, to)
        refused = refusal_of(plan, strict=False)
        if refused is not None:
            refused.facts = {**refused.facts, "plan": plan}
            raise refused
        agree(plan)
        return await begin_and_execute(plan, prepared.loaded, prepared.request, to, callbacks)


async def _plan(prepared: _Prepared, to: ReadOnlyConnection) -> Plan:
    return await make_plan(prepared.loaded, prepared.request, to)


async def _prepare(request: RedoRequest, settings: Settings) -> _Prepared:
    journal = wiring.open_journal(settings, wiring.clock(), read_only=True)
    try:
        row = runs.find(journal, request.run)
        state = fold(journal.events(row.run_id))
        started = state.started
        if started is None:
            raise UsageError("ZF042", f"run {row.run_id} has no start in its journal", "Start a new run.")
        params = _request_of(journal, state, request.instance, row.run_id)
    finally:
        await journal.close()
    changes = _changes(request, params, started)
    run_request = RunRequest(
        recipe=started.recipe_root,
        current=request.current,
        maxima={name: int(most) for name, most in (started.options.get("max") or {}).items()},
        reuse=ReuseOptions(source=row.run_id, redo=(request.instance,), changes=changes),
        out=request.out,
        picks={name: tuple(places) for name, places in (started.options.get("picks") or {}).items()},
        labels=request.labels if request.labels is not None else started.options.get("labels") or {},
    )
    return _Prepared(run_request, _loaded(started), on_server_of(state, settings))


def _changes(request: RedoRequest, params: Mapping[str, Any], started: RunStarted) -> Mapping[str, Mapping[str, Any]]:
    """Return the changes of the run and the new ones over them, by instance."""
    before = {name: dict(values) for name, values in (started.options.get("changes") or {}).items()}
    new = dict(_change(word, text, params) for word, text in request.changes.items())
    return {**before, request.instance: {**before.get(request.instance, {}), **new}} if new else before


def _loaded(started: RunStarted) -> Loaded:
    inputs = dict(started.inputs)
    return Loaded(stored_recipe(started), BoundInputs(inputs, frozenset(map(Path, started.named_paths)), inputs))


def _request_of(journal: Journal, state: RunState, address: str, run_id: str) -> Mapping[str, Any]:
    """Return the parameters of a paid call; of a reused result those of the call that made it.

    Raises UsageError with the calls that can be made again.
    """
    known = state.instances.get(address)
    for number, position in reversed(known.submissions if known is not None else []):
        return state.submissions[number].calls[position].call.params
    if known is not None and known.reused.get("run_id"):
        maker = str(known.reused["run_id"])
        return _request_of(journal, fold(journal.events(maker)), str(known.reused.get("instance", address)), maker)
    can = sorted(name for name, one in state.instances.items() if one.submissions or one.reused.get("run_id"))
    listed = ", ".join(can[:INSTANCES_SHOWN]) + (", …" if len(can) > INSTANCES_SHOWN else "")
    calls = f"Calls of run {run_id}: {listed}." if can else "This run made no paid calls."
    near = did_you_mean(address, can)
    text = f"unknown instance `{address}`" if known is None else f"`{address}` is not a paid call"
    raise UsageError(NO_INSTANCE, text, f"{near} {calls}" if near else calls)


def _change(word: str, text: str, params: Mapping[str, Any]) -> tuple[str, Any]:
    """Return the parameter and the value of one change."""
    prompt = next((name for name in PROMPT_KEYS if name in params), None)
    if prompt is not None and word in ("prompt", prompt):
        return prompt, text
    if word == SEED:
        if text.lstrip("-").isdigit():
            return SEED, int(text)
        raise UsageError(CANNOT_SET, f"invalid seed `{text}`", "Write a whole number, as in `--set seed=7`.")
    can = [f"`--set {prompt}=…`"] if prompt is not None else []
    hint = f"You can change {' and '.join([*can, '`--set seed=7`'])}; change the recipe for all else."
    raise UsageError(CANNOT_SET, f"cannot change `{word}` of a single call", hint)
