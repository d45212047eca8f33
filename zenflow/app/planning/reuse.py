"""Which results of earlier runs a plan takes: found by the fingerprints of its requests, and asked for at the service.

`--reuse` names the source; a step's own `reuse` key may say always or never; `describe` is always looked for, uploads are
known by their bytes. Nothing here can submit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zenflow.app.connection.retry import with_retries
from zenflow.app.connection.wiring import ReadOnlyConnection
from zenflow.app.planning.reuse_options import ANY, LAST, ReuseOptions
from zenflow.catalog.model import Catalog
from zenflow.engine.expansion.expected_counts import default_counts, expected_count_function
from zenflow.engine.model.instances import Instance
from zenflow.engine.reuse.preview import ReusePreview, ReusePreviewer
from zenflow.errors import UsageError
from zenflow.history.fold import fold
from zenflow.ids import digest_of, is_uuid
from zenflow.journal.base import Finished, Journal, RunRow
from zenflow.plan.analysis.dependencies import link
from zenflow.plan.fanout import parse_address
from zenflow.plan.model import Kept, Orphan, Plan, Reuse
from zenflow.providers.base import ServiceError
from zenflow.recipe.model import Recipe

URLS_AT_ONCE = 50  # docs/service.md, “Assets”
NO_SUCH_STEP = "ZF059"
NOTHING_KEPT = "ZF082"
ADDRESSES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class ReusePreviews:
    """What the plan is told: the decisions, and how far the run is known."""

    reuse: Reuse
    seen: ReusePreview
    again: Callable[[Mapping[str, int]], ReusePreview]  # the same with other maxima


@dataclass(slots=True)
class _PreviewedUploads:
    """Results that may be taken, each by one instance only: three pictures of one request are three results. A run that has
    reused a result does not make it two."""

    rows: Callable[[str], Sequence[Finished]]
    gone: frozenset[tuple[str, str]]
    taken: set[str] = field(default_factory=set)  # by what they are, whichever run has them

    def take(self, address: str, fingerprint: str) -> Finished | None:
        rows = [row for row in self.rows(fingerprint) if self._is_free(row)]
        own = next((row for row in rows if row.instance == address), None)
        found = own or next(iter(rows), None)
        if found is not None:
            self.taken.add(_identity_of(found))
        return found

    def _is_free(self, row: Finished) -> bool:
        return _identity_of(row) not in self.taken and (row.run_id, row.instance) not in self.gone


def _identity_of(found: Finished) -> str:
    """Return the call that made a result, else its content."""
    call_id = found.results.get("call_id")
    kept = {key: value for key, value in found.results.items() if key != "credits"}
    return call_id if isinstance(call_id, str) and call_id else digest_of(kept)


async def preview_reuse(
    recipe: Recipe,
    inputs: Mapping[str, Any],
    maxima: Mapping[str, int],
    chosen_reuse: ReuseOptions,
    to: ReadOnlyConnection,
    account_id: str,
    catalog: Catalog,
) -> ReusePreviews:
    """The decisions for a new run. What the service no longer has is left out, and named."""
    source = _source_run(chosen_reuse, recipe, to, account_id)
    remade = _remade(recipe, chosen_reuse)
    gone: set[tuple[str, str]] = set()

    def expand(most: Mapping[str, int]) -> ReusePreview:
        return _expanded(recipe, inputs, most, chosen_reuse, source, remade, frozenset(gone), to, account_id, catalog)

    while True:
        seen = expand(maxima)
        missing = await _missing(seen, to)
        if not missing:
            break
        gone |= missing
    _check_redo(recipe, chosen_reuse, seen, remade)
    kept = tuple(
        Kept(one.address, row.fingerprint, row.run_id, row.instance, row.credits) for one, row in seen.kept.items()
    )
    orphans = _orphans(to.journal, source, seen) if source is not None else ()
    run_id = None if source is None else source.run_id
    reuse = Reuse(chosen_reuse.as_document(), kept, orphans, run_id, tuple(sorted(instance for _, instance in gone)))
    return ReusePreviews(reuse, seen, expand)


async def uploads_of(plan: Plan, to: ReadOnlyConnection) -> list[Path]:
    """The local files that are known to be uploaded."""
    assert plan.account is not None
    account_id = plan.account.account_id
    known = await preview_reuse(
        plan.recipe, plan.inputs, plan.max_overrides, ReuseOptions(), to, account_id, plan.catalog
    )
    return [path for path, _ in known.seen.uploads.values()]


def _expanded(
    recipe: Recipe,
    inputs: Mapping[str, Any],
    maxima: Mapping[str, int],
    chosen_reuse: ReuseOptions,
    source: RunRow | None,
    remade: Callable[[Instance], bool],
    gone: frozenset[tuple[str, str]],
    to: ReadOnlyConnection,
    account_id: str,
    catalog: Catalog,
) -> ReusePreview:
    journal, server = to.journal, to.settings.server
    everything = _PreviewedUploads(lambda mark: journal.finished(server, account_id, mark), gone)
    chosen = everything
    if source is not None and chosen_reuse.source != ANY:
        by_mark = _by_fingerprint(journal.finished_in(source.run_id))
        chosen = _PreviewedUploads(lambda mark: by_mark.get(mark, ()), gone, everything.taken)

    def find_result(instance: Instance, fingerprint: str) -> Finished | None:
        spec = instance.step.spec
        if spec.reuse is False or remade(instance):
            return None
        if chosen_reuse.source is not None:
            found = chosen.take(instance.address, fingerprint)
            if found is not None:
                return found
        if spec.uses == "describe" and spec.kind == "action":  # many readers may share one description
            return next(iter(everything.rows(fingerprint)), None)
        return everything.take(instance.address, fingerprint) if spec.reuse is True else None

    asked = default_counts(catalog, recipe)
    options = {"asked": asked, "max": dict(maxima), "changes": chosen_reuse.changes}
    return ReusePreviewer(
        catalog.tools,
        expected_count_function(catalog.tools, asked),
        options,
        lambda digest: journal.find_asset(server, account_id, digest),
        find_result,
    ).expand(recipe, inputs)


def _by_fingerprint(rows: Sequence[Finished]) -> dict[str, list[Finished]]:
    found: dict[str, list[Finished]] = {}
    for row in rows:
        found.setdefault(row.fingerprint, []).append(row)
    return found


# --- the source -----------------------------------------------------------------------------------------------------


def _source_run(chosen_reuse: ReuseOptions, recipe: Recipe, to: ReadOnlyConnection, account_id: str) -> RunRow | None:
    """The run whose results an edit could orphan: the one that is named, else the last of this recipe."""
    if chosen_reuse.source not in (None, ANY, LAST):
        row = to.journal.find_run(str(chosen_reuse.source))
        if (row.server, row.account_id) != (to.settings.server, account_id):
            raise UsageError(
                "ZF060",
                f"Run {row.run_id} belongs to another server or account: its results cannot be taken here.",
                "Name a run of this one: `zenflow runs`.",
            )
        return row
    if chosen_reuse.source is None:
        return None
    for row in to.journal.runs():
        same = (row.recipe_name, row.server, row.account_id) == (recipe.name, to.settings.server, account_id)
        if same:
            return row
    return None


def _remade(recipe: Recipe, chosen_reuse: ReuseOptions) -> Callable[[Instance], bool]:
    """Whether an instance is to be made new in any case."""
    steps = {name.split("/")[0].split(".")[0] for name in chosen_reuse.redo} | (
        {chosen_reuse.start} if chosen_reuse.start else set()
    )
    for name in steps:
        if name not in recipe.steps:
            known = ", ".join(recipe.steps)
            raise UsageError(NO_SUCH_STEP, f"`{recipe.name}` has no step `{name}`.", f"It has: {known}.")
    after = _after(recipe, chosen_reuse.start) if chosen_reuse.start else frozenset()

    def remade(instance: Instance) -> bool:
        top = parse_address(instance.address.split("/")[0])[0]
        return (
            top in after
            or instance.address in chosen_reuse.redo
            or instance.step.path in chosen_reuse.redo
            or top in chosen_reuse.redo
        )

    return remade


def _check_redo(
    recipe: Recipe, chosen_reuse: ReuseOptions, seen: ReusePreview, remade: Callable[[Instance], bool]
) -> None:
    """Refuse an instance that there is not, and a redo that would keep nothing: both would pay for what nobody named."""
    instances = [one for frame in seen.frames for step in frame.steps.values() for one in step.instances.values()]
    names = {name for one in instances for name in (one.address, one.step.path)} | set(recipe.steps)
    for name in chosen_reuse.redo:
        if name not in names:
            step = name.split("/")[0].split(".")[0]
            there = [one.address for one in instances if one.address.split(".")[0].split("/")[0] == step]
            shown = ", ".join(there[:ADDRESSES_SHOWN]) + (", …" if len(there) > ADDRESSES_SHOWN else "")
            hint = f"It has: {shown}." if there else f"`{step}` has no instance with these inputs."
            raise UsageError(NO_SUCH_STEP, f"`{recipe.name}` has no instance `{name}`.", hint)
    paid = [one for one in instances if one.step.spec.kind == "tool" and not remade(one)]
    if chosen_reuse.redo and chosen_reuse.start is None and paid and not any(one in seen.kept for one in paid):
        named = ", ".join(chosen_reuse.redo)
        raise UsageError(
            NOTHING_KEPT,
            f"No earlier result fits these inputs, so `--redo {named}` would pay for all of the run.",
            "Give the inputs of the earlier run, or leave `--redo` out to pay for everything.",
        )


def _after(recipe: Recipe, start: str) -> frozenset[str]:
    """The step, and every step that needs it, directly or not."""
    needs = link(recipe)
    found = {start}
    grew = True
    while grew:
        more = {name for name, before in needs.items() if name not in found and found & set(before)}
        found |= more
        grew = bool(more)
    return frozenset(found)


# --- what is there, what is left ------------------------------------------------------------------------------------


async def _missing(seen: ReusePreview, to: ReadOnlyConnection) -> set[tuple[str, str]]:
    """Results whose assets the service no longer has. Asking for addresses costs nothing, and goes 50 at a time."""
    wanted: dict[str, list[Finished]] = {}
    for row in seen.kept.values():
        for asset_id in _assets_of(row):
            wanted.setdefault(asset_id, []).append(row)
    ids = list(wanted)
    missing: set[tuple[str, str]] = set()
    for start in range(0, len(ids), URLS_AT_ONCE):
        batch = ids[start : start + URLS_AT_ONCE]
        try:
            answers = await with_retries(lambda batch=batch: to.provider.download_urls(batch), to.clock)  # type: ignore[misc]
        except ServiceError as error:
            if error.trouble not in ("not_found", "invalid", "forbidden"):
                raise
            missing |= {(row.run_id, row.instance) for asset_id in batch for row in wanted[asset_id]}
            continue
        for answer in answers:
            if answer.url is None:
                missing |= {(row.run_id, row.instance) for row in wanted.get(answer.asset_id, ())}
    return missing


def _assets_of(row: Finished) -> list[str]:
    listed = row.results.get("asset_ids")
    one = row.results.get("asset_id")
    found = listed if isinstance(listed, list) else [one]
    return [asset_id for asset_id in found if isinstance(asset_id, str) and is_uuid(asset_id)]


def _orphans(journal: Journal, source: RunRow, seen: ReusePreview) -> tuple[Orphan, ...]:
    """Paid results of the source that no instance takes, from it or from where it took them itself."""
    calls = {row.results.get("call_id") for row in seen.kept.values()}
    uses = _uses_of(journal, source)
    return tuple(
        Orphan(source.run_id, row.instance, uses.get(row.instance, ""), row.credits)
        for row in journal.finished_in(source.run_id)
        if row.credits > 0 and row.results.get("call_id") not in calls
    )


def _uses_of(journal: Journal, source: RunRow) -> dict[str, str]:
    """Which tool each paid instance of a run called."""
    state = fold(journal.events(source.run_id))
    return {call.call.instance: one.tool for one in state.submissions.values() for call in one.calls}
