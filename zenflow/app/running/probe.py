"""Measure what can be measured of the assumptions about a server: one small paid run, with consent, watched closely.

The run is an ordinary one (journaled, resumable, within its budget), so that measuring keeps every promise too. Beside it
the listing and the transaction list are asked until they show it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from zenflow.app.config.settings import Setting, Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.probe_results import Finding, keep_findings
from zenflow.app.connection.retry import with_retries
from zenflow.app.running.run import Agree, RunCallbacks, RunRequest, run
from zenflow.artifacts.media import pixels_of
from zenflow.catalog.check import with_default_model
from zenflow.catalog.model import Catalog, Tool
from zenflow.catalog.outputs import media_of
from zenflow.catalog.price_requests import price_request_for
from zenflow.clock import Clock, as_iso
from zenflow.credits import as_text, in_words
from zenflow.engine.model.report import Listener, Progress, RunReport
from zenflow.errors import Refused
from zenflow.history.events import Accepted, Event, Intended
from zenflow.host.writing import make_private_folder, replace_file
from zenflow.ids import STAMP_LENGTH
from zenflow.providers.base import Provider, ServiceError

FOLDER = "probe"
SHAPES = ("16:9", "9:16")
ASK_EVERY_S = 1.0
PROMPTS = ("positive_prompt", "prompt")


@dataclass(frozen=True, slots=True)
class ProbeView:
    server: str
    findings: tuple[Finding, ...]
    report: RunReport
    kept_in: Path


@dataclass(frozen=True, slots=True)
class _Call:
    """The cheapest call that needs nothing but words; `shaped`: it can be told to be wide or high."""

    tool: str
    params: Mapping[str, Any]
    price: Decimal
    shaped: bool


async def probe(settings: Settings, spend: Decimal, agree: Agree, callbacks: RunCallbacks) -> ProbeView:
    """Raises Refused when nothing can be measured for so little, or when it is not agreed to."""
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        call = await _cheapest(provider, clock)
        if call is None or call.price > spend:
            said = "no tool here works from words alone" if call is None else f"the cheapest call costs {call.price}"
            raise Refused("ZF674", f"Nothing can be measured for {in_words(spend)}: {said}.", "`--spend N`")
        two = call.shaped and 2 * call.price <= spend
        folder = settings.state_dir / FOLDER
        recipe = _leave_recipe(folder, call, two, spend)
        together = Setting("limits.max_submission", spend, "doctor --probe")
        settings = replace(settings, by_key={**settings.by_key, together.key: together})
        watching = _Watching(provider, clock, callbacks.listener, settings)
        watched = RunCallbacks(watching, callbacks.stop, callbacks.begun)
        report = await run(
            RunRequest(recipe=str(recipe), current=folder, out=folder / "files"), settings, agree, watched
        )
        findings = [*await watching.findings(), _order(report, two, folder / "files", clock)]
    kept_in = keep_findings(settings.state_dir, settings.server, {one.assumption: one for one in findings})
    return ProbeView(settings.server, tuple(findings), report, kept_in)


# -------------------------------------------------------------------------------------------------------------- the call


async def _cheapest(provider: Provider, clock: Clock) -> _Call | None:
    catalog: Catalog = await with_retries(lambda: provider.catalog(None), clock)
    found: list[_Call] = []
    for tool in catalog.tools.values():
        prompt = next((name for name in PROMPTS if name in tool.parameters), None)
        if prompt is None or tool.blocked or media_of(tool) != "image" or set(tool.required) - {prompt}:
            continue
        for params in _with_models(tool, {prompt: "a plain grey ball on a white table"}):
            price_request = price_request_for(tool, params)
            try:
                price = (await with_retries(lambda q=price_request: provider.quote(q), clock)).credits  # type: ignore[misc]
            except ServiceError:
                continue
            if price is not None:
                found.append(_Call(tool.name, params, price, _is_shaped(tool)))
    return min(found, key=lambda one: (one.price, not one.shaped), default=None)


def _with_models(tool: Tool, params: dict[str, Any]) -> Sequence[dict[str, Any]]:
    open_ones = [m for m in tool.models if not (m.trusted_only or m.blocked or m.adult)]
    return [{**params, "model": model.value} for model in open_ones] or [with_default_model(tool, params)]


def _is_shaped(tool: Tool) -> bool:
    known = tool.parameters.get("ratio")
    allowed = known.get("enum") if isinstance(known, Mapping) else None
    return isinstance(allowed, list) and set(SHAPES) <= set(allowed)


def _leave_recipe(folder: Path, call: _Call, two: bool, spend: Decimal) -> Path:
    """The run's recipe, as anybody could have written it."""
    make_private_folder(folder)
    words = [f'      {name}: "{value}"' for name, value in call.params.items()]
    lines = [
        "zenflow: 1",
        "name: zenflow-probe",
        "version: 1.0.0",
        f"budget: {as_text(spend)}",
        "steps:",
        "  draw:",
        f"    uses: {call.tool}",
        *([f"    foreach: ['{SHAPES[0]}', '{SHAPES[1]}']"] if two else []),
        "    with:",
        *words,
        *(["      ratio: ${{ item }}"] if two else []),
        "  save:",
        "    uses: download",
        "    with:",
        f"      {'asset_ids: ${{ steps.draw.asset_ids }}' if two else 'asset_id: ${{ steps.draw.asset_id }}'}",
    ]
    path = folder / "probe.yaml"
    replace_file(path, "\n".join(lines) + "\n", private=True)
    return path


# -------------------------------------------------------------------------------------------------------- the witnesses


class _Watching:
    """Hears when the task is accepted, and asks the two lists until they show it."""

    def __init__(self, provider: Provider, clock: Clock, listener: Listener, settings: Settings) -> None:
        self._provider, self._clock, self._listener = provider, clock, listener
        self._patience_s = max(10.0, float(settings.value("limits.lost_answer_wait")))
        self._intents: dict[int, Intended] = {}
        self._tasks: list[asyncio.Task[Finding]] = []

    def event(self, event: Event) -> None:
        if isinstance(event, Intended):
            self._intents[event.submission] = event
        elif isinstance(event, Accepted) and not self._tasks:
            begun, intent = self._clock.monotonic_s(), self._intents[event.submission]
            self._tasks = [
                asyncio.create_task(self._found("A1", lambda: self._listed(event.task_id, intent.comment, begun))),
                asyncio.create_task(self._found("A3", lambda: self._debited(event.task_id, intent.quote, begun))),
            ]
        self._listener.event(event)

    def progress(self, snapshot: Callable[[], Progress]) -> None:
        self._listener.progress(snapshot)

    async def findings(self) -> list[Finding]:
        at = as_iso(self._clock.now())
        if not self._tasks:
            return [Finding(name, None, "nothing was accepted", at) for name in ("A1", "A3")]
        return list(await asyncio.gather(*self._tasks))

    async def _found(self, name: str, look: Callable[[], Any]) -> Finding:
        """Asked again until it says yes, or the wait for a lost answer is over."""
        end_s = self._clock.monotonic_s() + self._patience_s
        said, holds = "it could not be asked", None
        while True:
            try:
                holds, said = await look()
            except ServiceError as error:
                said = f"it could not be asked: {error.message}"
            if holds or self._clock.monotonic_s() >= end_s:
                return Finding(name, holds, said, as_iso(self._clock.now()))
            await self._clock.sleep(ASK_EVERY_S)

    async def _listed(self, task_id: str, comment: str, begun_s: float) -> tuple[bool, str]:
        rows, _ = await self._provider.list_tasks(query=comment[:STAMP_LENGTH], limit=100, offset=0)
        seen = next((row for row in rows if row.task_id == task_id), None)
        after_s = self._clock.monotonic_s() - begun_s
        if seen is None:
            return False, f"`query` did not find its stamp within {after_s:.0f} s"
        if seen.comment != comment:
            return False, f"the comment came back changed: {seen.comment[:60]!r}"
        return True, f"the comment is kept verbatim and found by `query` after {after_s:.1f} s"

    async def _debited(self, task_id: str, quote: Decimal, begun_s: float) -> tuple[bool, str]:
        rows, _ = await self._provider.transactions(limit=100, offset=0)
        ours = [row for row in rows if row.task_id == task_id]
        after_s = self._clock.monotonic_s() - begun_s
        if not ours:
            return False, f"no row with the task's id within {after_s:.0f} s"
        amount = sum((row.amount or Decimal(0) for row in ours), Decimal(0))
        if amount != -quote:
            return False, f"the rows of the task say {as_text(amount)}, and {as_text(-quote)} was quoted"
        return True, f"one debit of {in_words(-amount)} with the task's id, seen after {after_s:.1f} s"


def _order(report: RunReport, two: bool, folder: Path, clock: Clock) -> Finding:
    """Whether the wide picture is the first call's and the high one the second's."""
    at = as_iso(clock.now())
    if not two:
        return Finding("A5", None, "not measured: two calls that can be told apart cost more", at)
    sizes = {file.asset_id: pixels_of(folder / file.path) for file in report.files}
    shown = []
    for address in ("draw.0", "draw.1"):
        known = report.state.instances.get(address)
        asset_id = (known.results or {}).get("asset_id") if known is not None else None
        shown.append(sizes.get(str(asset_id)))
    first, second = shown
    if len(report.state.submissions) != 1:
        return Finding("A5", None, "not measured: its two calls did not travel together", at)
    if first is None or second is None:
        return Finding("A5", None, "its pictures could not be looked at", at)
    (wide, low), (narrow, high) = first, second
    if wide > low and high > narrow:
        return Finding("A5", True, f"{wide}×{low} was asked first and came first, {narrow}×{high} second", at)
    return Finding("A5", False, f"asked wide, then high; came {wide}×{low}, then {narrow}×{high}", at)
