"""The names of files that are known before anything runs: two equal ones, and ones that would leave the folder.

What `artifacts` does with a name (portable parts, endings) is not known here; names are compared without case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.template import Template
from zenflow.expr.types import type_name
from zenflow.expr.values import INTEGER, SKIPPED, Pending, Value
from zenflow.plan.analysis.draft import FanoutElements, PlanContext, RecipeDraft, Source, StepDraft
from zenflow.plan.analysis.expand import expand
from zenflow.plan.analysis.scope import RUN, PlannedOriginLookup, instance_scope, length_of, scope_of
from zenflow.plan.fanout import Fan, Fanout, step_field_of
from zenflow.problems import Problems

UNSAFE_NAME = "ZF360"
EQUAL_NAMES = "ZF361"
NOT_TEXT = "ZF362"
_NOTHING = ". "  # what `artifacts` strips from a part: of dots and spaces alone nothing is left
_MOST_FILES = 100_000  # beyond this the engine's own way with equal names has to do


def check_names(draft: RecipeDraft, step: StepDraft, context: PlanContext) -> None:
    """Render every name that can be rendered."""
    written = step.spec.with_.get("name")
    if written is None or not step.groups:
        return
    place = step.spec.places.value("with", "name")
    seen: dict[str, str] = {}
    try:
        for label, scope in _scopes(draft, step, context):
            value = evaluate(written, scope) if isinstance(written, Template) else written
            if isinstance(value, Pending) or value is SKIPPED:
                continue
            if isinstance(value, int | float) and not isinstance(value, bool):
                value = str(value)  # a name is rendered: `${{ index }}` alone will do
            if not isinstance(value, str):
                context.error(
                    NOT_TEXT, f"the name of a file is text; this is {type_name(value)}", place, "Add `| string`."
                )
                return
            problem = why_unsafe(value)
            if problem is not None:
                context.error(
                    UNSAFE_NAME,
                    f"`{value}` {problem}",
                    place,
                    "Names stay inside the run's folder: `shoes/${{ index }}`.",
                )
                return
            other = seen.setdefault(value.casefold(), label)
            if other != label:
                hint = "Add what differs: `${{ index }}`, or `${{ item }}`."
                context.error(EQUAL_NAMES, f"{other} and {label} would both be named `{value}`", place, hint)
                return
    except ExpressionError as error:
        context.report(error.problem)


def why_unsafe(name: str) -> str | None:
    """Why a name may not be used; None when it may."""
    parts = name.replace("\\", "/").split("/")
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).is_absolute() or name.startswith(("/", "\\", "~/")):
        return "is an absolute path"
    if PureWindowsPath(name).drive:
        return "names a drive"
    if any(part.strip() == ".." for part in parts):
        return "leads out of the run's folder (`..`)"
    if all(part.strip(_NOTHING) for part in name.split("/")):
        return None
    return "is empty" if not name.strip("/" + _NOTHING) else "has a folder without a name, or ends with `/`"


def _scopes(draft: RecipeDraft, step: StepDraft, context: PlanContext) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """The scope of each file that is planned, with a word for it."""
    base = {**scope_of(draft), "run": dict(RUN)}
    if step.spec.fans_out:
        yield from _per_instance(draft, step, base)
    else:
        yield from _per_file(draft, step, base, context)


def _per_instance(
    draft: RecipeDraft, step: StepDraft, base: Mapping[str, Value]
) -> Iterator[tuple[str, Mapping[str, Value]]]:
    if step.size is None:
        yield "one file", instance_scope(base, draft, step, None)
        return
    for place in range(min(step.size, _MOST_FILES)):
        group = step.group_at(place)
        if group is None:
            continue
        scope = instance_scope(base, draft, step, place)
        for number in range(_files_of(group.params)):
            yield f"file {number} of `{step.spec.id}.{place}`", scope


def _per_file(
    draft: RecipeDraft, step: StepDraft, base: Mapping[str, Value], context: PlanContext
) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """`index` counts the files; `origin` is that of the file's asset, over exactly one step's field (rule 17)."""
    plain = step_field_of(step.spec.with_.get("asset_ids"))
    source = draft.steps.get(plain[0]) if plain is not None else None
    if plain is not None and (source is None or source.broken or _comes_from_broken(draft, source)):
        return  # what is wrong there is said there; its names cannot be judged
    files = _as_fanout(draft, step, plain, context) if plain is not None and plain[1] is not None else None
    if files is not None and files.elements is not None and files.elements.size is not None:
        for place in range(min(files.elements.size, _MOST_FILES)):
            if files.elements.state_at(place) is not False:
                yield f"file {place}", {**base, "index": place, "origin": PlannedOriginLookup(draft, files, place)}
        return
    if files is not None:  # which places there will be is not known, only that each has an origin
        yield (
            "one file",
            {**base, "index": Pending(Source("index"), INTEGER), "origin": PlannedOriginLookup(draft, files, None)},
        )
        return
    number = _files_of(step.groups[0].params)
    for place in range(min(number, _MOST_FILES)):
        yield f"file {place}", {**base, "index": place}
    if number == 0:
        yield "one file", {**base, "index": Pending(Source("index"), INTEGER)}


def _comes_from_broken(draft: RecipeDraft, step: StepDraft) -> bool:
    """Whether something that a step's elements come from could not be planned."""
    seen: set[str] = set()
    at: StepDraft | None = step
    while at is not None and at.path not in seen:
        seen.add(at.path)
        if at.broken or (at.spec.kind == "tool" and at.tool is None):
            return True
        at = draft.steps.get(at.fanout.source) if at.fanout.source is not None else None
    return False


def _as_fanout(
    draft: RecipeDraft, step: StepDraft, plain: tuple[str, str | None], context: PlanContext
) -> StepDraft | None:
    """The download as if it fanned out over the field: the same places, the same way back."""
    source = draft.steps.get(plain[0])
    if source is None or source.broken:
        return None
    twin = StepDraft(step.path, step.spec, Fanout(Fan.FIELD, plain[0], plain[1]), step.needs, kinds=step.kinds)
    elements: FanoutElements | None = expand(
        draft, twin, {}, PlanContext(context.catalog, Problems())
    )  # its own pass has told
    if elements is None:
        return None
    twin.elements = elements
    return twin


def _files_of(params: Mapping[str, Any]) -> int:
    given = params.get("asset_ids")
    return 1 if given is None else length_of(given)[1]
