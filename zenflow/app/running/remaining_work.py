"""What is left of a run, and what it costs: the run unfolded from its facts, with the failed instances taken up again.

For the recipe that is stored with it, or for a corrected one: then results follow their requests to wherever these now stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zenflow.app.connection.wiring import ReadOnlyConnection
from zenflow.app.planning.explain_reuse import given_inputs
from zenflow.app.planning.plan_file import word_of
from zenflow.app.planning.prepare import Loaded, RecipeRequest, load, read_recipe
from zenflow.catalog.model import Account, Catalog
from zenflow.clock import as_iso
from zenflow.engine.expansion.expected_counts import default_counts, expected_count_function
from zenflow.engine.expansion.readiness import TOLERATES_MISSING_INPUTS
from zenflow.engine.expansion.subrecipes import spec_at
from zenflow.engine.model.instances import Instance
from zenflow.engine.model.recipe_record import recorded_recipe
from zenflow.engine.reuse.preview import ReusePreview, ReusePreviewer
from zenflow.errors import Refused
from zenflow.history.events import Event, RecipeChanged, Reopened, RunStarted
from zenflow.history.fold import ORPHANED, apply, fold
from zenflow.history.state import InstanceStatus, Outcome, RunState
from zenflow.journal.base import Finished, Journal
from zenflow.plan.fingerprint import fingerprint_of
from zenflow.plan.model import Orphan
from zenflow.recipe.model import Recipe

UNDECIDED = "ZF673"


@dataclass(frozen=True, slots=True)
class Correction:
    """A recipe that takes the place of the run's own. `orphans`: what is paid and no longer asked for."""

    recipe: Recipe
    inputs: Mapping[str, Any]
    event: RecipeChanged
    orphans: tuple[Orphan, ...] = ()
    seen: ReusePreview = field(default_factory=ReusePreview)


def preview_remaining(
    recipe: Recipe,
    started: RunStarted,
    events: Sequence[Event],
    maxima: Mapping[str, int],
    catalog: Catalog,
    journal: Journal,
    again: tuple[str, ...] = (),
) -> ReusePreview:
    """The run as a resume will find it: what is done, what runs, what is still to be asked for."""
    state = fold(events)
    options = {**state.options, "max": dict(maxima)}
    state.options = options
    decided = options.get("reuse", {})

    def find_result(instance: Instance, fingerprint: str) -> Finished | None:
        wanted = decided.get(instance.address) or {}
        if wanted.get("fingerprint") != fingerprint:
            return None
        rows = journal.finished(started.server, started.account_id, fingerprint)
        place = (wanted.get("run"), wanted.get("instance"))
        return next((row for row in rows if (row.run_id, row.instance) == place), None)

    asked = expected_count_function(catalog.tools, options.get("asked", {}))
    previewer = ReusePreviewer(
        catalog.tools,
        asked,
        options,
        lambda digest: journal.find_asset(started.server, started.account_id, digest),
        find_result,
        state,
    )
    # After the unfolder has seen who was there: as in a resume, what is taken up again keeps its place below `max`.
    apply(state, Reopened("", (*_taken_up_again(state, recipe), *again)))
    return previewer.expand(recipe, started.inputs)


def _taken_up_again(state: RunState, recipe: Recipe) -> tuple[str, ...]:
    """As the engine does at every resume: what failed, what was skipped because of it, and the lists of files."""
    found = []
    for address, instance in state.instances.items():
        spec = spec_at(recipe, address)
        files = instance.status is InstanceStatus.DONE and spec is not None and spec.uses in TOLERATES_MISSING_INPUTS
        if files or instance.status in (InstanceStatus.FAILED, InstanceStatus.SKIPPED):
            found.append(address)
    return tuple(found)


# --- a corrected recipe ---------------------------------------------------------------------------------------------


def load_correction(file: Path, current: Path, started: RunStarted) -> Loaded:
    """The corrected recipe with the inputs that the run was given, as far as it has them. Raises InvalidRecipe."""
    names = read_recipe(RecipeRequest(recipe=str(file), current=current)).inputs
    words = tuple((name, word_of(value)) for name, value in given_inputs(started).items() if name in names)
    return load(RecipeRequest(recipe=str(file), current=current, inputs=words))


def correct(
    loaded: Loaded,
    started: RunStarted,
    events: Sequence[Event],
    maxima: Mapping[str, int],
    catalog: Catalog,
    account: Account,
    to: ReadOnlyConnection,
) -> Correction:
    """Which result goes where. Raises Refused while it is not known what became of a request."""
    state = fold(events)
    _refuse_undecided(state, started.run_id)
    recipe = loaded.recipe
    done = _by_fingerprint(to.journal.finished_in(started.run_id), state)
    running = _running(state)
    moves: dict[str, str] = {}

    def find_result(instance: Instance, fingerprint: str) -> Finished | None:
        rows = done.get(fingerprint, [])
        row = next((one for one in rows if one.instance == instance.address), rows[0] if rows else None)
        if row is not None:
            rows.remove(row)
            moves[row.instance] = instance.address
        return row

    def find_open(fingerprint: str) -> str | None:
        addresses = running.get(fingerprint)
        return addresses.pop(0) if addresses else None

    options = {"asked": default_counts(catalog, recipe), "max": dict(maxima)}
    seen = ReusePreviewer(
        catalog.tools,
        expected_count_function(catalog.tools, options["asked"]),
        options,
        lambda digest: to.journal.find_asset(started.server, account.account_id, digest),
        find_result,
        find_open=find_open,
    ).expand(recipe, loaded.inputs.values)
    moves.update({old: instance.address for instance, old in seen.running.items()})
    event = RecipeChanged(
        at=as_iso(to.clock.now()),
        **recorded_recipe(recipe),
        inputs=dict(loaded.inputs.values),
        named_paths=tuple(sorted({*started.named_paths, *map(str, loaded.inputs.named_paths)})),
        moves=moves,
    )
    return Correction(recipe, loaded.inputs.values, event, _orphans(state, moves, started.run_id), seen)


def _refuse_undecided(state: RunState, run_id: str) -> None:
    for submission in state.submissions.values():
        if submission.outcome in (Outcome.OPEN, Outcome.NOT_SENT, Outcome.UNKNOWN):
            raise Refused(
                UNDECIDED,
                f"It is not known yet what became of a request of run {run_id}: its recipe cannot be changed before that.",
                f"`zenflow resume {run_id}` looks for it; then `--recipe FILE`.",
            )
        if submission.is_short:
            raise Refused(
                UNDECIDED,
                f"Of #{submission.number}, {submission.shortfall}: the recipe of run {run_id} cannot be changed before it is "
                "decided what becomes of the others.",
                f"`zenflow reconcile {run_id}` takes your decision; then `zenflow resume {run_id} --recipe FILE`.",
            )


def _by_fingerprint(rows: Sequence[Finished], state: RunState) -> dict[str, list[Finished]]:
    found: dict[str, list[Finished]] = {}
    for row in rows:
        if row.instance in state.instances:
            found.setdefault(row.fingerprint, []).append(row)
    return found


def _running(state: RunState) -> dict[str, list[str]]:
    """Paid calls that are not over, by the fingerprint of their request."""
    found: dict[str, list[str]] = {}
    for submission in state.submissions.values():
        for call in submission.calls if submission.outcome is Outcome.ACCEPTED else ():
            if call.status == "waiting":
                mark = fingerprint_of(submission.tool, call.call.params, state.contents)
                found.setdefault(mark, []).append(call.call.instance)
    return found


def _orphans(state: RunState, moves: Mapping[str, str], run_id: str) -> tuple[Orphan, ...]:
    """Paid, not failed, and asked for by nothing any more."""
    found: dict[str, Orphan] = {}
    for submission in state.submissions.values():
        for call in submission.calls if submission.outcome is Outcome.ACCEPTED else ():
            address = call.call.instance
            if call.status != "failed" and address not in moves:
                shown = address.split("/", 1)[1] if address.startswith(ORPHANED) else address
                found[address] = Orphan(run_id, shown, submission.tool, call.call.quote)
    return tuple(found.values())
