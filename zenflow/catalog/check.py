"""Is this a call that the service would take? Parameters against a tool's schema, models and gates, before sending.

Parameters may hold `Pending` parts: those are checked by their type now, and again when they are known. A schema
that is itself odd is checked as far as it can be read, with a warning; it never stops anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from zenflow.catalog.conditional_rules import missing_together
from zenflow.catalog.field_path import NOWHERE, FieldPath, Path, path_text
from zenflow.catalog.gates import Gates, check_model, check_nsfw
from zenflow.catalog.messages import (
    NO_ASSET_ID,
    meant,
    missing_parameter,
    no_asset_id,
    problem_of,
    unknown_parameter,
    wrong_kind,
)
from zenflow.catalog.model import Tool
from zenflow.catalog.plain_schema import SchemaTrouble, fits, is_plain, is_uuid
from zenflow.catalog.schema import (
    MOST_FIELDS,
    Schema,
    asset_media,
    fields_of,
    is_asset_field,
    is_prompt_field,
    price_free_fields,
    required_of,
    takes_lists,
    takes_other_fields,
)
from zenflow.expr.tree import without_nulls
from zenflow.expr.types import explain_mismatch
from zenflow.expr.values import WORDS, Pending, Type
from zenflow.ids import digest_of
from zenflow.problems import Problem

UNREADABLE_SCHEMA = "ZF411"
LONG_PROMPT = "ZF412"
WRONG_ASSET = "ZF413"
ALONE = "Write the expression alone: no text, blank or line end beside it (`|` adds one), and no filter that changes the id."
PROMPT_LIMIT = 5000  # docs/service.md, “Recorded answers”: several image backends refuse more, though no schema says so
# docs/service.md, “Generation”: promoted to required where a tool has them
ALWAYS_REQUIRED = ("resolution", "output_format")


@dataclass(frozen=True, slots=True)
class ToolForm:
    """A tool's schema, read once. `plain`: a right call needs no validator (`plain_schema`)."""

    tool: Tool
    fields: Mapping[str, Schema]
    required: tuple[str, ...]
    closed: bool
    free: frozenset[str]  # of price
    plain: bool = False


@dataclass(frozen=True, slots=True)
class _Validators:
    """Of one tool. `trouble` says what of its schema could not be read; then `parts` check field by field."""

    whole: Any = None
    parts: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""


def form_of(tool: Tool) -> ToolForm:
    """The tool's form, compiled once per digest."""
    return _form(_keyed(tool))


def with_default_model(tool: Tool, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as they are sent: without nulls, and with the tool's default model named."""
    sent: dict[str, Any] = without_nulls(dict(params))
    if "model" not in sent and tool.default_model is not None and "model" in form_of(tool).fields:
        sent["model"] = tool.default_model
    return sent


def check_call(
    tool: Tool, params: Mapping[str, Any], *, where: FieldPath = NOWHERE, gates: Gates | None = None
) -> list[Problem]:
    """Every problem of one call. `gates` None: models and policy are not looked at."""
    form = form_of(tool)
    sent = without_nulls(dict(params))
    problems = [
        *_names(form, sent, where),
        *_values(form, sent, where),
        *_assets(form, sent, where),
        *_prompts(form, sent, where),
    ]
    if gates is not None:
        problems += check_model(tool, sent, form.fields, gates, where)
        problems += check_nsfw(sent, gates, where)
    return list(dict.fromkeys(problems))


def _names(form: ToolForm, params: Mapping[str, Any], where: FieldPath) -> Iterator[Problem]:
    if form.closed:
        for name in params:
            if name not in form.fields:
                yield unknown_parameter(form.tool.name, (name,), form.fields, where)
    misspelt = {meant(name, form.fields) for name in params if name not in form.fields} if form.closed else set()
    for name in form.required:
        if name not in params and name not in misspelt:
            yield missing_parameter(form.tool.name, (name,), form.fields.get(name, {}), where)


def _values(form: ToolForm, params: dict[str, Any], where: FieldPath) -> Iterator[Problem]:
    if form.plain and fits(form.tool.input_schema, params, form.tool.input_schema):
        return
    yield from _found(form, params, where, _validators(_keyed(form.tool)))


def _found(form: ToolForm, params: dict[str, Any], where: FieldPath, validators: _Validators) -> Iterator[Problem]:
    """What the library finds."""
    from zenflow.catalog.partial_validation import errors_of

    if validators.trouble:
        trouble = f"cannot be read in full ({validators.trouble}); the rest of it is checked"
        yield Problem(
            UNREADABLE_SCHEMA, f"the schema of `{form.tool.name}` {trouble}", where.uses(), severity="warning"
        )
    try:
        errors = [] if validators.whole is None else errors_of(validators.whole, params)
    except SchemaTrouble as no:
        yield from _found(form, params, where, _by_parts(form, str(no)))
        return
    for name, validator in validators.parts.items():
        if name in params:
            try:
                found = errors_of(validator, params[name])
            except SchemaTrouble:
                continue
            for error in found:
                error.relative_path.appendleft(name)
            errors += found
    for error in errors:
        top_level = not error.absolute_path
        if top_level and error.validator in ("additionalProperties", "unevaluatedProperties"):
            continue  # said by `_names`, with the whole list
        together = (
            missing_together(form.tool.name, error, form.fields, form.tool.input_schema, where) if top_level else None
        )
        if together is not None:
            told = {name for name in form.required if name not in params}
            yield from (one for one in together if not any(f"needs `{name}`" in one.message for name in told))
            continue
        leaf = "" if not error.absolute_path else str(error.absolute_path[0])
        if (
            error.validator in ("format", "type")
            and leaf in form.fields
            and _is_asset(form, leaf)
            and not _is_shape(form, error, leaf)
        ):
            continue  # said by `_assets`, in the words of assets
        yield from problem_of(form.tool.name, error, form.tool.input_schema, where)


def _is_shape(form: ToolForm, error: Any, name: str) -> bool:
    """Whether an error on an asset field is about one or many, or about something that is no text."""
    if error.validator == "format":
        return False
    known = error.instance.type.name if isinstance(error.instance, Pending) else None
    return (
        known == "array"
        or (takes_lists(form.fields[name]) and len(error.absolute_path) == 1)
        or not isinstance(error.instance, (Pending, str))
    )


def _assets(form: ToolForm, params: Mapping[str, Any], where: FieldPath) -> Iterator[Problem]:
    for name, value in params.items():
        if name not in form.fields or not _is_asset(form, name):
            continue
        wanted = Type("asset", media=asset_media(name))
        if takes_lists(form.fields[name]):
            for position, element in enumerate(value if isinstance(value, list) else ()):
                yield from _asset((name, position), element, wanted, where)
            if isinstance(value, Pending) and value.type.name == "array" and value.type.items is not None:
                yield from _asset((name,), Pending(value.on, value.type.items), wanted, where)
        else:
            yield from _asset((name,), value, wanted, where)


def _plural(media: str) -> str:
    return "sounds" if media == "audio" else f"{media}s"


def _asset(path: Path, value: Any, wanted: Type, where: FieldPath) -> Iterator[Problem]:
    if isinstance(value, str) and not is_uuid(value):
        yield no_asset_id(path_text(path), value, where.value(path))
    if not isinstance(value, Pending) or value.type.name == "array":
        return
    why = explain_mismatch(value.type, wanted)
    if why is not None:
        source = "" if value.on is None else f" ({value.on})"
        hint = "A step that `uses: upload` gives its `asset_id`." if "upload it first" in why else None
        if value.type == WORDS:
            yield Problem(NO_ASSET_ID, f"`{path_text(path)}`{source}: {why}", where.value(path), ALONE)
            return
        if hint is None and value.type.media and wanted.media:
            hint = f"It takes what a tool makes that gives {_plural(wanted.media)}, or an upload of one."
        if value.type.name in ("object", "boolean", "integer", "number"):
            yield wrong_kind(path, value, {"type": "string"}, where)
        else:
            yield Problem(WRONG_ASSET, f"`{path_text(path)}`{source}: {why}", where.value(path), hint)


def _prompts(form: ToolForm, params: Mapping[str, Any], where: FieldPath) -> Iterator[Problem]:
    for name, value in params.items():
        if isinstance(value, str) and len(value) > PROMPT_LIMIT and is_prompt_field(name, form.fields.get(name, {})):
            text = f"`{name}` has {len(value)} characters; several backends refuse more than {PROMPT_LIMIT}"
            yield Problem(LONG_PROMPT, text, where.value((name,)), "Shorten it.", severity="warning")


def _is_asset(form: ToolForm, name: str) -> bool:
    return is_asset_field(name, form.fields[name], form.tool.input_schema)


@dataclass(frozen=True, slots=True, eq=False)
class _Keyed:
    """A tool, equal to another by name and digest: a cache may hold it."""

    tool: Tool
    digest: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and (self.tool.name, self.digest) == (other.tool.name, other.digest)

    def __hash__(self) -> int:
        return hash((self.tool.name, self.digest))


def _keyed(tool: Tool) -> _Keyed:
    return _Keyed(tool, tool.digest or digest_of(tool.input_schema))


@lru_cache(maxsize=256)
def _form(keyed: _Keyed) -> ToolForm:
    tool = keyed.tool
    schema = tool.input_schema if isinstance(tool.input_schema, Mapping) else {}
    fields = fields_of(schema)
    promoted = [name for name in ALWAYS_REQUIRED if name in fields]
    required = tuple(dict.fromkeys((*required_of(schema), *promoted)))
    closed = bool(fields) and not takes_other_fields(schema)
    is_large = len(fields) >= MOST_FIELDS
    return ToolForm(
        tool,
        fields,
        required,
        closed=closed and not is_large,
        free=price_free_fields(schema),
        plain=not is_large and is_plain(schema, schema),
    )


@lru_cache(maxsize=256)
def _validators(keyed: _Keyed) -> _Validators:
    from zenflow.catalog.partial_validation import validator_of

    form = _form(keyed)
    if len(form.fields) >= MOST_FIELDS:  # compiling a validator for each would take longer than anybody waits
        return _Validators(trouble=f"it has {MOST_FIELDS} fields or more")
    try:
        return _Validators(validator_of(form.tool.input_schema if isinstance(form.tool.input_schema, Mapping) else {}))
    except SchemaTrouble as trouble:
        return _by_parts(form, str(trouble))


def _by_parts(form: ToolForm, trouble: str) -> _Validators:
    """One validator per field that has a schema which can be used."""
    from zenflow.catalog.partial_validation import validator_of

    shared = {key: form.tool.input_schema[key] for key in ("$defs", "definitions") if key in form.tool.input_schema}
    parts: dict[str, Any] = {}
    for name, one in form.fields.items():
        try:
            parts[name] = validator_of({**shared, **one})
        except SchemaTrouble:
            try:
                parts[name] = validator_of(one)
            except SchemaTrouble:
                continue
    return _Validators(parts=parts, trouble=trouble)
