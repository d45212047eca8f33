"""How many results a call is asked for, what they show, and how long they usually take, as far as its parameters tell.

Knows nothing of what a service really gives; the engine counts that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.catalog.check import form_of
from zenflow.catalog.model import Tool
from zenflow.catalog.once import once_per_tool
from zenflow.catalog.schema import fields_of, types_of
from zenflow.expr.values import Pending

COUNT_FIELDS = (
    "number_of_images",  # image_editor (recorded)
    "batch_size",  # by_prompt (recorded)
    "count",
    "num_images",
    "images_count",
    "number_of_results",
    "num_outputs",
    "n",
)
# docs/service.md, “Generation”: craft_prompt drafts 1..4
_ACTION_COUNT = {"craft_prompt": ("count", 4), "pick": ("count", None)}

_USUAL_S = {
    "upscaler": 10.0,
    "run_any_llm": 5.0,
    "videogen": 120.0,  # docs/service.md, “Generation”: 60–180 s
    "text_to_video": 120.0,
    "video2video": 120.0,
    "video_upscaler": 120.0,
    "lipsync": 120.0,
}
_USUAL_MODEL_S = {"wan@3.0": 2100.0}  # docs/service.md, “Recorded answers”: 15–55 min in the queue
_USUAL_MEDIA_S = {"image": 40.0, "video": 120.0, "audio": 30.0, "text": 5.0}  # images measured: 37–53 s
_USUAL_ACTION_S = {"upload": 3.0, "describe": 5.0, "craft_prompt": 5.0, "download": 2.0, "preview": 2.0}


@once_per_tool
def count_field(tool: Tool) -> str | None:
    """The parameter that says how many results one call gives; None: it gives one."""
    fields = form_of(tool).fields
    return next((n for n in COUNT_FIELDS if n in fields and "integer" in (types_of(fields[n]) or ("integer",))), None)


def asked_count(tool: Tool | str, params: Mapping[str, Any]) -> int:
    """How many results a call of a tool, or of an action by name, is asked for; one not known yet is its default."""
    return asked_bounds(tool, params)[0]


def asked_bounds(tool: Tool | str, params: Mapping[str, Any]) -> tuple[int, int | None]:
    """The number asked for, and the most it can be: the same where it is known; None where nothing bounds it."""
    if isinstance(tool, str):
        name, most = _ACTION_COUNT.get(tool, (None, None))
        return _bounds(params.get(name), 1, most) if name else (1, 1)
    name = count_field(tool)
    if name is None:
        return (1, 1)
    field = form_of(tool).fields[name]
    return _bounds(params.get(name), _whole(field.get("default")) or 1, _whole(field.get("maximum")))


def _bounds(value: Any, default: int, most: int | None) -> tuple[int, int | None]:
    if value is None:
        return (default, default)
    if isinstance(value, Pending):
        return (default, most)
    number = _whole(value)
    return (default, most) if number is None else (max(number, 0), max(number, 0))


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@once_per_tool
def media_of(tool: Tool) -> str | None:
    """What the results show: image, video, audio or text; None where neither schema nor name tells."""
    names = [name.lower() for name in fields_of(tool.output_schema)]
    for media in ("image", "video", "audio"):
        if any(media in name for name in names):
            return media
    if names and all(name in ("text", "answer", "content", "output_text") for name in names):
        return "text"
    word = tool.name.lower()
    if "llm" in word:
        return "text"
    if "video" in word or word == "lipsync":
        return "video"
    return "image" if any(part in word for part in ("image", "by_prompt", "by_ref", "face", "upscaler")) else None


def usual_duration_s(tool: Tool | str, model: str | None = None) -> float:
    """How long one call usually takes: what the service's pages say, until this workspace has measured its own."""
    if isinstance(tool, str):
        return _USUAL_ACTION_S.get(tool, 0.0)
    if model in _USUAL_MODEL_S:
        return _USUAL_MODEL_S[model]
    return _USUAL_S.get(tool.name, _USUAL_MEDIA_S.get(media_of(tool) or "image", 40.0))
