"""How large a result will be, worked out from its inputs alone, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Size = tuple[int, int]

_LONG_SIDE = {"1K": 1024, "2K": 2048, "4K": 4096}  # by tier; chosen by us, modest so that drawing stays quick
_CLIP_SHORT_SIDE = {"480p": 480, "720p": 720, "1080p": 1080, "1440p": 1440, "2160p": 2160}
MAX_PIXELS = 64_000_000  # a larger enlargement fails in the worker; chosen by us


def ratio_of(text: str | None) -> float | None:
    if not text:
        return None
    wide, _, high = text.partition(":")
    return int(wide) / int(high)


def of_ratio(ratio: float, long_side: int) -> Size:
    """Width and height with the given longest side."""
    if ratio >= 1:
        return long_side, max(1, round(long_side / ratio))
    return max(1, round(long_side * ratio)), long_side


def picture_size(inputs: Mapping[str, Any], reference: Size | None) -> Size:
    """`width` and `height` exactly, as measured; else the ratio; else the reference's shape; else a square."""
    width, height = int(inputs.get("width", 0)), int(inputs.get("height", 0))
    ratio = ratio_of(inputs.get("ratio"))
    if width and height:
        return width, height
    if ratio is None and reference is not None:
        ratio = reference[0] / reference[1]
    ratio = ratio or 1.0
    if width:
        return width, max(1, round(width / ratio))
    if height:
        return max(1, round(height * ratio)), height
    return of_ratio(ratio, _LONG_SIDE[inputs.get("tier", "1K")])


def clip_size(inputs: Mapping[str, Any], reference: Size | None) -> Size:
    """The resolution names the shorter side; sides are even, as codecs like them."""
    short = _CLIP_SHORT_SIDE[inputs.get("resolution", "720p")]
    ratio = ratio_of(inputs.get("ratio")) or (reference[0] / reference[1] if reference else 16 / 9)
    ratio = min(max(ratio, 9 / 21), 21 / 9)
    width, height = (short * ratio, short) if ratio >= 1 else (short, short / ratio)
    return round(width / 2) * 2, round(height / 2) * 2


def result_size(tool: str, inputs: Mapping[str, Any], reference: Size | None) -> Size | None:
    """The size of one result of a call; None for text."""
    if tool == "run_any_llm":
        return None
    if tool == "upscaler":
        scale = int(inputs.get("scale", 2))
        width, height = reference or (1024, 1024)
        return width * scale, height * scale
    if tool in ("videogen", "text_to_video", "video2video", "video_upscaler", "lipsync"):
        return clip_size(inputs, reference)
    if tool == "faceswap" and reference is not None:
        return reference
    return picture_size(inputs, reference)
