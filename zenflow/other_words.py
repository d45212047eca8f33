"""Words that other tools have for the keys and parameters of ours, so that whoever comes from there is told ours."""

from __future__ import annotations

from collections.abc import Iterable

_KEYS = {
    "uses": ("action", "tool", "type", "run", "task", "call"),
    "with": ("params", "parameters", "args", "arguments", "inputs", "input", "withs"),
    "foreach": ("for_each", "for-each", "forEach", "loop", "matrix", "withItems", "items", "map", "strategy"),
    "needs": ("depends_on", "dependsOn", "depends", "dependencies", "after", "requires", "wait_for"),
    "if": ("when", "condition", "only_if"),
    "retry": ("retries", "retryStrategy", "attempts"),
    "timeout": ("timeout_minutes", "timeout-minutes", "deadline"),
    "on_error": ("continue-on-error", "continue_on_error", "allow_failure", "continueOn"),
    "reuse": ("cache",),
    "max_credits": ("cost", "price", "limit"),
    "steps": ("jobs", "tasks", "stages", "nodes"),
    "inputs": ("params", "parameters", "variables", "vars", "args"),
    "outputs": ("results", "output"),
    "zenflow": ("apiVersion", "schema", "format"),
}
_SAME = (
    ("number_of_images", "batch_size", "count", "n", "num_images"),
    ("prompt", "positive_prompt", "text"),
    ("ratio", "aspect_ratio", "size"),
    ("image_assets", "image_asset_id", "ref_asset", "image", "images", "video_asset_id", "asset_id", "asset_ids"),
    ("duration", "seconds", "length"),
    ("output_format", "format"),
    ("scale", "factor"),
)


def key_called(word: str, allowed: Iterable[str]) -> str | None:
    """What a key of another tool is called here, where that key is allowed."""
    return next((key for key in allowed if word in _KEYS.get(key, ())), None)


def parameter_called(word: str, allowed: Iterable[str]) -> str | None:
    """What a parameter is called in this tool, where another tool has it under that word."""
    names = list(allowed)
    group = next((same for same in _SAME if word in same), ())
    return next((name for name in names if name in group), None)
