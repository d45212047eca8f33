"""A plan as a file, and a run of exactly that plan: nothing is asked, and nothing is done when anything it stands on moved.

What moved is named: which file, which input, which schema, which price from what to what.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zenflow import __version__
from zenflow.app import wiring
from zenflow.app.asking import patiently
from zenflow.app.prepare import Loaded, asker_for, bounds_of, plan_for
from zenflow.app.refusal import refusal_of
from zenflow.app.reuse import foresee, wish_from
from zenflow.app.run import Agree, Hands, RunRequest, begin_and_execute
from zenflow.app.settings import Setting, Settings
from zenflow.app.wiring import Inquiry
from zenflow.clock import as_iso
from zenflow.engine.result import RunReport
from zenflow.errors import Refused, UsageError
from zenflow.plan.model import BudgetLine, Plan
from zenflow.plan.saved import (
    FileFact,
    Moved,
    SavedPlan,
    is_hidden,
    is_saved_plan,
    kept_value,
    moved_files,
    moved_recipe,
    moved_world,
    read_document,
    saved_document,
    saved_of,
)
from zenflow.problems import Problems
from zenflow.recipe.content import file_digest
from zenflow.recipe.inputs import BoundInputs, bind_inputs
from zenflow.recipe.load import load_recipe
from zenflow.recipe.media_leaves import is_local_file, media_in
from zenflow.recipe.model import Recipe

STALE, NOT_A_PLAN, UNWRITABLE, GIVE_AGAIN = "ZF670", "ZF061", "ZF062", "ZF063"
_ORIGIN = "the saved plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRunRequest:
    """`inputs`: only those of which the plan holds a digest."""

    file: Path
    current: Path
    inputs: tuple[tuple[str, str], ...] = ()
    out: Path | None = None
    picks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


# --- to a file ------------------------------------------------------------------------------------------------------


async def keep_plan(plan: Plan, loaded: Loaded, to: Inquiry, uploads: Sequence[Path]) -> SavedPlan:
    """The plan with everything that it stands on. `uploads`: local files that a run of it would upload."""
    facts = tuple(
        _fact(path) for path in sorted(set(uploads) | set(_local_inputs(loaded.recipe, loaded.inputs.values)))
    )
    inputs = {name: kept_value(value) for name, value in loaded.inputs.recorded.items()}
    return saved_of(plan, made_at=as_iso(to.clock.now()), version=__version__, files=facts, inputs=inputs)


async def uploads_of(plan: Plan, to: Inquiry) -> list[Path]:
    """The local files that are known to be uploaded."""
    assert plan.account is not None
    account_id = plan.account.account_id
    known = await foresee(plan.recipe, plan.inputs, plan.max_overrides, wish_from({}), to, account_id, plan.catalog)
    return [path for path, _ in known.seen.uploads.values()]


def write_plan(file: Path, saved: SavedPlan) -> None:
    """Whole or not at all; paths in it are relative to it. Raises UsageError."""
    folder = file.absolute().parent
    document = saved_document(_moved_paths(saved, lambda path: _relative(path, folder)))
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(beside, file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            UNWRITABLE, f"The plan cannot be written to {file}: {reason}.", "Name another file."
        ) from error


def read_plan(file: Path) -> SavedPlan:
    """The plan of a file, its paths absolute. Raises UsageError for what is none."""
    document = read_json(file)
    if not is_saved_plan(document):
        raise UsageError(NOT_A_PLAN, f"{file} is no saved plan.", "Make one: `zenflow plan RECIPE -o FILE`.")
    try:
        saved = read_document(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            NOT_A_PLAN, f"{file} is a saved plan that cannot be read: {error}.", "Make it anew."
        ) from error
    folder = file.absolute().parent
    return _moved_paths(saved, lambda path: os.path.normpath(folder / path))


def read_json(file: Path) -> Any:
    """Raises UsageError."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(NOT_A_PLAN, f"{file} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise UsageError(NOT_A_PLAN, f"{file} is no JSON: {error}.") from error


def _moved_paths(saved: SavedPlan, change: Any) -> SavedPlan:
    known = {file.path for file in saved.files}

    def everywhere(value: Any) -> Any:
        if isinstance(value, str):
            return change(value) if value in known else value
        if isinstance(value, list):
            return [everywhere(item) for item in value]
        return {name: everywhere(item) for name, item in value.items()} if isinstance(value, dict) else value

    return replace(
        saved,
        recipe_path=change(saved.recipe_path),
        files=tuple(replace(file, path=change(file.path)) for file in saved.files),
        inputs={name: everywhere(value) for name, value in saved.inputs.items()},
    )


def _relative(path: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path


def _local_inputs(recipe: Recipe, values: Mapping[str, Any]) -> list[Path]:
    return [
        Path(medium)
        for name, spec in recipe.inputs.items()
        for medium in media_in(values.get(name), spec.schema)
        if is_local_file(medium)
    ]


def _fact(path: Path) -> FileFact:
    try:
        return FileFact(str(path), path.stat().st_size, file_digest(path))
    except OSError as error:
        raise UsageError("ZF522", f"{path} cannot be read: {error.strerror or error}.") from error


# --- a run of it ----------------------------------------------------------------------------------------------------


async def run_saved(request: SavedRunRequest, settings: Settings, agree: Agree, hands: Hands) -> RunReport:
    """Exactly that plan. Raises Refused that names what moved."""
    saved = read_plan(request.current / request.file)
    settings = _on_its_server(saved, settings)
    loaded = _loaded(saved, request)
    async with wiring.connect(settings) as to:
        plan, now = await _made_again(saved, loaded, to)
        _refuse_moved(list(moved_world(saved, now)))
        refused = refusal_of(plan)
        if refused is not None:
            refused.facts = {**refused.facts, "plan": plan}
            raise refused
        agree(plan)
        asked = RunRequest(
            recipe=saved.recipe_path,
            current=request.current,
            maxima=saved.maxima,
            out=request.out,
            picks=request.picks,
        )
        return await begin_and_execute(plan, loaded, asked, to, hands)


async def _made_again(saved: SavedPlan, loaded: Loaded, to: Inquiry) -> tuple[Plan, SavedPlan]:
    account = await patiently(to.provider.account, to.clock)
    bounds = (BudgetLine(saved.budget, _ORIGIN), *bounds_of(None, to, account))
    wish = wish_from(saved.reuse)
    plan = await plan_for(
        loaded.recipe,
        loaded.inputs.values,
        bounds,
        saved.maxima,
        to,
        account,
        wish=wish if saved.reuse else None,
        ask=asker_for(to, 0),  # whatever was told lately: a plan binds at prices that hold now
    )
    return plan, await keep_plan(plan, loaded, to, ())


def _loaded(saved: SavedPlan, request: SavedRunRequest) -> Loaded:
    """Recipe and inputs as the plan has them; what of them moved is told before anybody is connected to."""
    recipe = _recipe(saved)
    now = {file.path: _fact_or_none(Path(file.path)) for file in saved.files}
    _refuse_moved([*moved_recipe(saved, recipe.files), *moved_files(saved, now)])
    return Loaded(recipe, _inputs(saved, recipe, request))


def _recipe(saved: SavedPlan) -> Recipe:
    path = Path(saved.recipe_path)
    if not path.is_file():
        raise _stale([Moved("recipe", f"recipe file {path.name}", saved.recipe_path, "gone")])
    recipe = load_recipe(path, Problems())
    if recipe is None:
        text = path.read_text(encoding="utf-8", errors="replace")
        raise _stale(list(moved_recipe(saved, {path.name: text})))
    return recipe


def _inputs(saved: SavedPlan, recipe: Recipe, request: SavedRunRequest) -> BoundInputs:
    given = dict(request.inputs)
    hidden = [name for name, value in saved.inputs.items() if is_hidden(value)]
    missing = [name for name in hidden if name not in given]
    if missing:
        text = f"The plan holds only a digest of {', '.join(f'`{name}`' for name in missing)}."
        raise UsageError(GIVE_AGAIN, text, f"Give it again: `-i {missing[0]}=…`.")
    extra = next((name for name in given if name not in hidden), None)
    if extra is not None:
        raise UsageError("ZF003", f"`-i {extra}` means nothing with `--plan`: the plan holds that input.")
    words = [(name, word_of(value)) for name, value in saved.inputs.items() if name not in given]
    words = [(name, text) for name, text in words if name in recipe.inputs]
    return bind_inputs(recipe, [*words, *given.items()], (), request.current)


def word_of(value: Any) -> str:
    """As `-i` would be given it: text as it is, all else as JSON."""
    if isinstance(value, str):
        return "@" + value if value.startswith("@") else value
    return json.dumps(value)


def _fact_or_none(path: Path) -> FileFact | None:
    try:
        return _fact(path)
    except UsageError:
        return None


def _on_its_server(saved: SavedPlan, settings: Settings) -> Settings:
    """The plan's own server, unless another one was asked for: then that has moved."""
    asked = settings.by_key["service.server"]
    if kept_value(asked.value) == saved.server:
        return settings
    if asked.origin in ("--server", "ZENFLOW_SERVER") or is_hidden(saved.server):
        raise _stale([Moved("server", "server", saved.server, str(kept_value(asked.value)))])
    own = Setting("service.server", saved.server, _ORIGIN)
    return replace(settings, by_key={**settings.by_key, "service.server": own})


def _refuse_moved(moved: Sequence[Moved]) -> None:
    if moved:
        raise _stale(moved)


def _stale(moved: Sequence[Moved]) -> Refused:
    said = "; ".join(map(str, moved[:8])) + (f"; and {len(moved) - 8} more" if len(moved) > 8 else "")
    document = {"moved": [{"kind": m.kind, "what": m.what, "before": m.before, "after": m.after} for m in moved]}
    return Refused(
        STALE,
        f"The plan no longer holds. {said[0].upper()}{said[1:]}. Nothing was spent.",
        "Make it anew: `zenflow plan RECIPE -o FILE`.",
        document=document,
    )
