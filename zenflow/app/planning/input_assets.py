"""An input may name an asset of the service by its UUID: is it there? Asked before anything is paid (docs/money.md, promise 1).

Asking is free. A plan without such inputs asks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from zenflow.app.connection.retry import with_retries
from zenflow.app.connection.wiring import ReadOnlyConnection
from zenflow.ids import is_uuid
from zenflow.media.local_files import why_not
from zenflow.media.types import canonical_type, kind_of
from zenflow.plan.pricing.declined import DECLINED
from zenflow.problems import Problem, Problems
from zenflow.providers.base import ServiceError
from zenflow.recipe.inputs.media import MEDIA_WORDS, OTHER_MEDIA
from zenflow.recipe.model import Recipe

NOT_THERE = "ZF525"
_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
AT_ONCE = 50  # asset ids in one batch (docs/service.md, “Assets”, `get_asset_download_urls`)
NOT_THERE_TO_US = ("not_found", "forbidden", "invalid")


async def missing_assets(recipe: Recipe, inputs: Mapping[str, object], to: ReadOnlyConnection) -> tuple[Problem, ...]:
    """One problem for each asset among the inputs that the service does not have. Raises ServiceError when it is away."""
    named = {
        asset_id: words
        for name, spec in recipe.inputs.items()
        for words, asset_id in _assets(name, inputs.get(name), spec.schema)
    }
    problems = Problems()
    kinds = {
        asset_id: str(kind)
        for name, spec in recipe.inputs.items()
        for kind in MEDIA_WORDS
        for _, asset_id in _assets(name, inputs.get(name), _only(spec.schema, kind))
    }
    seen: dict[str, str] = {}
    for asset_id in await _without_address(list(named), to, seen):
        if not await _is_there(asset_id, to):
            message = f"input `{named[asset_id]}`: the service has no asset {asset_id} for this account"
            hint = "Give a file, a URL, or the id of an asset of this account (`zenflow assets get ID` looks)."
            problems.error(NOT_THERE, message, None, hint)
    for asset_id, media_type in seen.items():
        unfit = why_not(canonical_type(media_type), kinds[asset_id]) if kind_of(media_type) in MEDIA_WORDS else None
        if unfit is not None and kind_of(media_type) != kinds[asset_id]:
            problems.error(OTHER_MEDIA, f"input `{named[asset_id]}`: asset {asset_id} {unfit.said}", None, unfit.hint)
    return problems.in_order()


def _only(schema: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The schema, with media of this kind alone."""
    if schema.get("type") in MEDIA_WORDS:
        return schema if schema["type"] == kind else {}
    items, properties = schema.get("items"), schema.get("properties")
    narrowed = dict(schema)
    if isinstance(items, Mapping):
        narrowed["items"] = _only(items, kind)
    if isinstance(properties, Mapping):
        narrowed["properties"] = {k: _only(v, kind) if isinstance(v, Mapping) else v for k, v in properties.items()}
    return narrowed


def _assets(words: str, value: object, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Which input, which asset; at any depth, as inputs take media (rule 6)."""
    if type(value) is str:
        if schema.get("type") in MEDIA_WORDS and is_uuid(value):
            yield words, value
    elif type(value) is list:
        items = schema.get("items")
        for place, item in enumerate(value):
            yield from _assets(f"{words}[{place}]", item, items if isinstance(items, Mapping) else {})
    elif type(value) is dict:
        known = schema.get("properties")
        for key, item in value.items():
            below = known.get(key) if isinstance(known, Mapping) else None
            yield from _assets(f"{words}.{key}", item, below if isinstance(below, Mapping) else {})


async def _without_address(asset_ids: Sequence[str], to: ReadOnlyConnection, seen: dict[str, str]) -> list[str]:
    """Those that a batch gives no address for; all of a batch that is refused as a whole.

    `seen` takes the media types of the others.
    """
    found: list[str] = []
    for start in range(0, len(asset_ids), AT_ONCE):
        batch = asset_ids[start : start + AT_ONCE]
        try:
            answers = await with_retries(lambda batch=batch: to.provider.download_urls(batch), to.clock)  # type: ignore[misc]
        except ServiceError as error:
            if error.trouble not in (*NOT_THERE_TO_US, "absent"):
                raise
            found += batch
            continue
        there = {answer.asset_id for answer in answers if answer.url is not None}
        seen.update({one.asset_id: one.media_type for one in answers if one.media_type and one.asset_id in batch})
        found += [asset_id for asset_id in batch if asset_id not in there]
    return found


async def _is_there(asset_id: str, to: ReadOnlyConnection) -> bool:
    """One asset's own answer decides: an address may be missing for reasons that pass."""
    try:
        await with_retries(lambda: to.provider.asset(asset_id), to.clock)
    except ServiceError as error:
        if error.trouble == "absent":
            return True  # nobody can say; the run will see
        if error.trouble not in NOT_THERE_TO_US:
            raise
        return False
    return True


def not_of_missing(problems: Iterable[Problem], missing: Sequence[Problem]) -> Iterator[Problem]:
    """Leave out what the service says of a call because of an asset that is reported already."""
    ids = {found for problem in missing for found in _UUID.findall(problem.message)}
    return (one for one in problems if one.code != DECLINED or not ids & set(_UUID.findall(one.message)))
