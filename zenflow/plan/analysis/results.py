"""What one instance of a step will give, as far as its parameters tell: known, or `Pending` with type and length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from zenflow.catalog.model import Tool
from zenflow.catalog.outputs import asked_bounds, media_of
from zenflow.catalog.plain_schema import is_uuid
from zenflow.expr.types import type_of
from zenflow.expr.values import ANY, Pending, Type, Value
from zenflow.media.data_urls import is_data_url
from zenflow.media.types import KINDS, kind_of, type_by_name
from zenflow.plan.analysis.draft import Source
from zenflow.plan.analysis.scope import length_of
from zenflow.recipe.actions import ACTION_PARAMETERS, ACTION_RESULTS, TOOL_RESULTS
from zenflow.recipe.model import StepSpec

_PARAMETERS: Mapping[str, Mapping[str, Any]] = {str(name): form for name, form in ACTION_PARAMETERS.items()}
_RESULTS: Mapping[str, Mapping[str, Type]] = {str(name): kinds for name, kinds in ACTION_RESULTS.items()}


def action_form(name: str) -> Tool:
    """An action's parameters in the form of a tool, so that one check serves both."""
    return Tool(name=name, description="", input_schema=_PARAMETERS[name], output_schema={}, digest=f"action {name}")


def kinds_of(step: StepSpec) -> Mapping[str, Type]:
    """The names of a step's results and their types."""
    if step.kind == "action":
        return _RESULTS[step.uses]
    if step.kind == "recipe":
        return {} if step.recipe is None else dict.fromkeys(step.recipe.outputs, ANY)
    return TOOL_RESULTS


class ToolResults(Mapping[str, Value]):
    """What a call will give. Of its six results a recipe reads one or none, so each is made when it is asked for."""

    __slots__ = ("_bounds", "_media", "_step_id")

    def __init__(self, step_id: str, media: str | None, bounds: tuple[int, int, int | None]) -> None:
        self._step_id = step_id
        self._media = media
        self._bounds = bounds

    def __getitem__(self, name: str) -> Value:
        known, label = TOOL_RESULTS[name], f"steps.{self._step_id}.{name}"
        if name == "asset_id":
            return Pending(Source(label), _asset_of(self._media))
        if name == "asset_ids":
            return Pending(Source(label, *self._bounds), _assets_of(self._media, self._bounds[2]))
        return Pending(Source(label), known)

    def __iter__(self) -> Iterator[str]:
        return iter(TOOL_RESULTS)

    def __len__(self) -> int:
        return len(TOOL_RESULTS)


@cache
def _asset_of(media: str | None) -> Type:
    return Type("asset", media=media)


@cache
def _assets_of(media: str | None, most: int | None) -> Type:
    return Type("array", items=_asset_of(media), most=most)


def results_of(step: StepSpec, tool: Tool | None, params: Mapping[str, Any]) -> Mapping[str, Value]:
    """The results of one instance of an action or a tool with these parameters."""
    if step.kind == "tool":
        expected, most = asked_bounds(tool, params) if tool is not None else (1, None)
        return ToolResults(step.id, media_of(tool) if tool is not None else None, (0, expected, most))
    results: dict[str, Value] = {
        name: Pending(Source(f"steps.{step.id}.{name}"), known) for name, known in kinds_of(step).items()
    }
    if step.uses == "upload":
        _set_upload(step, results, params.get("source"))
    elif step.uses == "craft_prompt":
        expected, most = asked_bounds("craft_prompt", params)
        results["prompts"] = _list(step, "prompts", kinds_of(step)["prompts"], (0, expected, most))
    elif step.uses == "pick":
        expected, most = asked_bounds("pick", params)
        _set_assets(step, results, _media_in(params.get("asset_ids")), (0, expected, most))
    elif step.uses in ("download", "preview"):
        given = params.get("asset_ids", params.get("asset_id"))
        bounds = (1, 1, 1) if given is None else length_of(given)
        _set_assets(step, results, _media_in(given), bounds)
        results["files"] = _list(step, "files", kinds_of(step)["files"], bounds)
    elif step.uses == "describe" and params.get("asset_id") is not None:
        results["asset_id"] = params["asset_id"]
    return results


def guess_media(source: Any) -> str | None:
    """What a path, an address or a `data:` URL shows, by its name alone."""
    if isinstance(source, Pending):
        return source.type.name if source.type.name in KINDS else None
    if not isinstance(source, str):
        return None
    if is_data_url(source):
        kind = kind_of(source[5:])
    else:
        kind = kind_of(type_by_name(source.partition("?")[0]) or "")
    return kind if kind in KINDS else None


def _set_upload(step: StepSpec, results: dict[str, Value], source: Any) -> None:
    if isinstance(source, str) and is_uuid(source) and not step.fans_out:
        results["asset_id"] = source  # passed through
    else:
        asset = Type("asset", media=guess_media(source))
        results["asset_id"] = Pending(Source(f"steps.{step.id}.asset_id"), asset)


def _set_assets(
    step: StepSpec, results: dict[str, Value], media: str | None, bounds: tuple[int, int, int | None]
) -> None:
    results["asset_ids"] = _list(step, "asset_ids", _assets_of(media, bounds[2]), bounds)
    results["asset_id"] = Pending(Source(f"steps.{step.id}.asset_id"), _asset_of(media))


def _list(step: StepSpec, name: str, known: Type, bounds: tuple[int, int, int | None]) -> Pending:
    return Pending(Source(f"steps.{step.id}.{name}", *bounds), replace(known, most=bounds[2]))


def _media_in(value: Any) -> str | None:
    known = type_of(value)
    return (known.items or ANY).media if known.name == "array" else known.media
