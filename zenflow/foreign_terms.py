"""Words that other tools have for the keys and parameters of ours, so that whoever comes from there is told ours."""

from __future__ import annotations

from collections.abc import Iterable

_KEYS = {
    "uses": ("action", "tool", "type", "run", "task", "call", "template", "templateRef", "class_type"),
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
    "enum": ("options", "choices", "values", "allowed", "oneOf"),
    "default": ("value",),
    "description": ("help", "desc", "title", "label"),
    "minimum": ("min",),
    "maximum": ("max",),
    "pattern": ("regex", "regexp"),
    "minItems": ("min_items",),
    "maxItems": ("max_items",),
}
_ELSEWHERE = {  # keys of other tools that have no brother here: what is done instead
    "name": "A step is called by its key; a longer name is a comment, `# …`, or `x-name`.",
    "id": "A step is called by its key; others read it as `steps.NAME`.",
    "label": "A step is called by its key; a longer name is a comment, `# …`, or `x-label`.",
    "as": "One element is called `item`, and its place `index`.",
    "register": "Nothing is registered: others read a step's results as `steps.NAME.asset_ids`.",
    "outputs": "A step's results have fixed names: others read `steps.NAME.asset_ids`. `outputs` stands beside `steps`.",
    "env": "Expressions cannot read an environment; declare an input.",
    "run": "A recipe runs no commands: `uses` names an action, a tool of the service, or another recipe.",
    "image": "A recipe runs no containers: `uses` names an action, a tool of the service, or another recipe.",
    "services": "A recipe runs no containers: it has `steps`, and each `uses` an action, a tool of the service or a recipe.",
    "on": "A recipe is run by hand, `zenflow run`, and not by events.",
    "spec": "A recipe has no `spec`: `steps` and `inputs` stand at the outermost level.",
    "metadata": "`name`, `version` and `description` stand at the outermost level.",
    "kind": "A recipe is known by its first line: `zenflow: 1`.",
    "connections": "Steps are joined by what they read: `${{ steps.NAME.asset_ids }}`.",
    "rule": "A recipe has `steps`, and each `uses` an action, a tool of the service or a recipe.",
    "steps": "Steps inside a step are a recipe of their own: `uses: ./inner.yaml`.",
    "max-parallel": "How many calls run at once is a matter of the workspace: `in_flight` in zenflow.toml.",
    "max_parallel": "How many calls run at once is a matter of the workspace: `in_flight` in zenflow.toml.",
    "concurrency": "How many calls run at once is a matter of the workspace: `in_flight` in zenflow.toml.",
    "parallel": "What does not wait for anything runs at once anyway; `in_flight` in zenflow.toml bounds it.",
}
_TYPES = {
    "string": ("str", "text", "choice", "enum", "select", "date", "datetime", "uuid", "url", "uri"),
    "integer": ("int", "long", "count"),
    "number": ("float", "double", "decimal"),
    "boolean": ("bool", "flag", "checkbox"),
    "array": ("list", "string[]", "tuple", "sequence"),
    "object": ("dict", "map", "mapping", "json", "record"),
    "image": ("picture", "photo", "img", "png", "jpg", "jpeg", "file", "path", "asset"),
    "video": ("movie", "clip", "mp4", "film"),
    "audio": ("sound", "music", "mp3", "wav", "voice"),
}
_NAMES = {
    "inputs": ("vars", "var", "params", "parameters", "args", "arguments", "variables", "config", "values", "github"),
    "steps": ("needs", "jobs", "tasks", "outputs", "results"),
    "item": ("matrix", "each", "element", "loop", "it", "this", "value"),
    "index": ("i", "idx", "number", "position"),
    "previous": ("prev", "last"),
    "run": ("workflow", "execution"),
}
_FUNCTIONS = {
    "len": "Use the filter: `… | length`.",
    "size": "Use the filter: `… | length`.",
    "count": "Use the filter: `… | length`.",
    "str": "Use the filter: `… | string`.",
    "toJSON": "Use the filter: `… | tojson`.",
    "contains": "Write `part in whole`: `'a' in inputs.name`.",
    "fromJSON": "An input of type array or object is a list or an object already.",
    "fromJson": "An input of type array or object is a list or an object already.",
    "expand": "A list of all combinations is `foreach: {a: [1, 2], b: [3, 4]}`; one of numbers is `range(n)`.",
    "cancelled": "There is no step for that: what is interrupted goes on with `zenflow resume`.",
    "startsWith": "Write `text[:3] == 'abc'`.",
    "format": "Write the text with its expressions in it: `a ${{ … }} b`; or join it: `a ~ b`.",
    "concat": "Text is joined with `~`, lists with `+`.",
    "coalesce": "Write `x | default(y)`.",
    "always": "`download`, `preview` and `outputs` take what exists anyway; `on_error: continue` lets the others go on.",
    "success": "A step waits for what it reads, and runs when that was made: leave it out.",
    "failure": "There is no step for failures; `on_error: continue` lets the others go on.",
    "env": "Expressions cannot read the environment; declare an input.",
    "enumerate": "Inside `foreach`, `index` counts.",
}
_VALUES = {
    "continue": ("ignore", "skip", "warn", "true", "yes", "pass"),
    "fail": ("stop", "abort", "error", "exit", "false", "no"),
    "allow": ("true", "yes", "on"),
    "deny": ("false", "no", "off", "forbid"),
}
KEYS_OF_A_STEP = frozenset(
    {"uses", "with", "foreach", "max", "if", "needs", "retry", "timeout", "on_error", "reuse", "max_credits"}
)
_SAME = (
    ("number_of_images", "batch_size", "count", "n", "num_images"),
    ("prompt", "positive_prompt", "text"),
    ("ratio", "aspect_ratio", "size"),
    ("image_assets", "image_asset_id", "ref_asset", "image", "images", "video_asset_id", "asset_id", "asset_ids"),
    ("duration", "seconds", "length"),
    ("output_format", "format"),
    ("scale", "factor"),
    (
        "name",
        "path",
        "filename",
        "file_name",
        "file",
        "folder",
        "dir",
        "directory",
        "dest",
        "destination",
        "to",
        "output",
    ),
    ("source", "src", "path", "file", "url", "photo"),
)


def our_key_for(word: str, allowed: Iterable[str]) -> str | None:
    """What a key of another tool is called here, where that key is allowed."""
    return next((key for key in allowed if word in _KEYS.get(key, ())), None)


def equivalent_of(word: str) -> str | None:
    """How that is done here for which other tools have this key."""
    return _ELSEWHERE.get(word.partition(" ")[0])  # `rule all`


def type_called(word: str) -> str | None:
    """The type of an input that other tools call so."""
    return next((ours for ours, theirs in _TYPES.items() if word.lower() in theirs), None)


def name_called(word: str) -> str | None:
    """The name in expressions that other tools call so."""
    return next((ours for ours, theirs in _NAMES.items() if word in theirs), None)


def function_done(word: str) -> str | None:
    """How that is written for which other tools have a function."""
    return _FUNCTIONS.get(word)


def value_called(word: str, allowed: Iterable[str]) -> str | None:
    """What one of the allowed words is called elsewhere."""
    return next((value for value in allowed if word.lower() in _VALUES.get(value, ())), None)


def parameter_called(word: str, allowed: Iterable[str]) -> str | None:
    """What a parameter is called in this tool, where another tool has it under that word."""
    names = list(allowed)
    return next((name for same in _SAME if word in same for name in names if name in same), None)
