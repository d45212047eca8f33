"""A plan in a file: everything that it stands on, so that what has moved since can be named.

Knows nothing of running it (`run_saved`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zenflow import __version__
from zenflow.app.config.setting_specs import SANDBOX
from zenflow.app.config.settings import Settings
from zenflow.app.config.trust import Claim, TrustStore
from zenflow.app.connection.trust import is_inside, listed
from zenflow.app.connection.wiring import ReadOnlyConnection
from zenflow.app.planning.prepare import Loaded
from zenflow.clock import as_iso
from zenflow.errors import Refused, UsageError
from zenflow.host.reading import read_regular
from zenflow.host.writing import replace_file
from zenflow.ids import digest_of
from zenflow.plan.model import Plan
from zenflow.plan.output.plan_file import (
    FileFact,
    Moved,
    SavedPlan,
    content_digest,
    is_saved_plan,
    kept_value,
    plan_text,
    read_document,
    saved_document,
    saved_of,
    sealed,
)
from zenflow.recipe.digests import file_digest
from zenflow.recipe.inputs.media_leaves import is_local_file, media_in
from zenflow.recipe.model import Recipe

NOT_A_PLAN, UNWRITABLE, STALE = "ZF061", "ZF062", "ZF670"
MOST_BYTES = 256 * 1024 * 1024
MAKE_ONE = "Make one: `zenflow plan RECIPE -o FILE`."


async def keep_plan(plan: Plan, loaded: Loaded, to: ReadOnlyConnection, uploads: Sequence[Path]) -> SavedPlan:
    """The plan with everything that it stands on. `uploads`: local files that a run of it would upload."""
    facts = tuple(
        fact_of(path) for path in sorted(set(uploads) | set(_local_inputs(loaded.recipe, loaded.inputs.values)))
    )
    inputs = {name: kept_value(value) for name, value in loaded.inputs.recorded.items()}
    return saved_of(plan, made_at=as_iso(to.clock.now()), version=__version__, files=facts, inputs=inputs)


def write_plan(file: Path, saved: SavedPlan, trust: TrustStore) -> None:
    """Whole or not at all; paths in it are relative to it. Raises UsageError."""
    folder = file.absolute().parent
    document = sealed(saved_document(_moved_paths(saved, lambda path: _relative(path, folder))), trust.mark)
    try:
        replace_file(file, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
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
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
        said = f"{file} is a saved plan that cannot be read: {what}."
        raise UsageError(NOT_A_PLAN, said, "Make it anew: `zenflow plan RECIPE -o FILE`.") from error
    if document.get("digest") != content_digest(document):
        raise stale([Moved("plan", f"plan file {file.name}", "as it was made", "changed since")])
    folder = file.absolute().parent
    return _moved_paths(saved, lambda path: os.path.normpath(folder / path))


def is_own_plan(saved: SavedPlan, settings: Settings) -> bool:
    """Whether the operator's own zenflow made the plan."""
    return settings.trust.is_ours(plan_text(saved.digest), saved.made_by)


def claims_of_plan(saved: SavedPlan, file: Path, uploads: Iterable[Path], settings: Settings) -> list[Claim]:
    """What a plan that the operator did not make asks for: files from outside its folder on their way to a server.

    `uploads`: the local files that its inputs name; the list in the plan may leave some out.
    """
    folder = file.absolute().parent
    outside = sorted(path for path in uploads if not is_inside(path, folder))
    recipe_outside = not is_inside(Path(saved.recipe_path), folder)
    if is_own_plan(saved, settings) or saved.server == SANDBOX or not (outside or recipe_outside):
        return []
    details = [f"runs {saved.recipe_path}"] if recipe_outside else []
    details += listed([f"uploads {path}" for path in outside])
    place = digest_of(saved.digest)
    return [Claim("plan", str(file), "not made by you", place, (f"sends to {saved.server}", *details))]


def read_json(file: Path) -> Any:
    """Raises UsageError."""
    try:
        return json.loads(read_regular(file, MOST_BYTES).decode("utf-8"))
    except OSError as error:
        raise UsageError(NOT_A_PLAN, f"{file} cannot be read: {error.strerror or error}.", MAKE_ONE) from error
    except RecursionError as error:
        raise UsageError(NOT_A_PLAN, f"invalid saved plan: {file}: nested too deeply", MAKE_ONE) from error
    except ValueError as error:
        raise UsageError(NOT_A_PLAN, f"{file} is no saved plan, nor JSON at all: {error}.", MAKE_ONE) from error


def fact_of(path: Path) -> FileFact:
    try:
        return FileFact(str(path), path.stat().st_size, file_digest(path))
    except OSError as error:
        raise UsageError("ZF522", f"{path} cannot be read: {error.strerror or error}.") from error


def word_of(value: Any) -> str:
    """As `-i` would be given it: text as it is, all else as JSON."""
    if isinstance(value, str):
        return "@" + value if value.startswith("@") else value
    return json.dumps(value)


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
        recipe_path=saved.recipe_path if "" in saved.repositories else change(saved.recipe_path),
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


def stale(moved: Sequence[Moved]) -> Refused:
    """The refusal that names what moved."""
    said = "; ".join(map(str, moved[:8])) + (f"; and {len(moved) - 8} more" if len(moved) > 8 else "")
    document = {"moved": [{"kind": m.kind, "what": m.what, "before": m.before, "after": m.after} for m in moved]}
    return Refused(
        STALE,
        f"The plan no longer holds. {said[0].upper()}{said[1:]}. Nothing was spent.",
        "Make it anew: `zenflow plan RECIPE -o FILE`.",
        document=document,
    )
