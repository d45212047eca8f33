"""The inputs of a run: what was given on the command line and in files, by the declared types (rules 6–8).

Everything that is wrong with any of them is found before anything runs, and said at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from zenflow.errors import InvalidRecipe
from zenflow.media.data_urls import is_data_url, parse_data_url
from zenflow.problems import Place, Problems
from zenflow.recipe.inputs.files import Where, node_places, read_text, read_value, with_whole_characters, word_value
from zenflow.recipe.inputs.media import MEDIA_WORDS, MediaReader
from zenflow.recipe.model import InputSpec, PathKey, Recipe
from zenflow.recipe.schema.values import describe, mismatches
from zenflow.recipe.text.reader import parse_yaml
from zenflow.suggest import nearest

UNKNOWN_INPUT = "ZF501"
MISSING_INPUT = "ZF502"
WRONG_INPUT = "ZF503"
BAD_INPUT_FILE = "ZF504"
_KINDS = {"missing": "is not complete"}


Said: TypeAlias = tuple[str, str] | Path  # `-i name=value`, or the file of `--inputs`


@dataclass(frozen=True, slots=True)
class BoundInputs:
    """Every declared input with its value. Local media are absolute paths; `recorded` is fit for plan and journal."""

    values: dict[str, Any]
    named_paths: frozenset[Path]  # files that whoever runs the recipe named; all others lie beside the recipe
    recorded: dict[str, Any]  # as `values`, with a digest for each data: URL (rule 8)


@dataclass(frozen=True, slots=True)
class _Given:
    """One value as it was given: where relative paths in it begin, and where it stands."""

    value: Any
    base: Path
    where: Where
    source: str


def bind_inputs(recipe: Recipe, said: Sequence[Said], base: Path) -> BoundInputs:
    """What is `said` of the inputs, in the order of the command line; later ones win (rule 7). Raises `InvalidRecipe`."""
    problems = Problems()
    given: dict[str, _Given] = {}
    broken: set[str] = set()
    for one in said:
        if isinstance(one, Path):
            read = _read_inputs_file(one, recipe, base, given, problems)
            broken = set(recipe.inputs) if read is None else broken - read
            continue
        name, text = one
        if name not in recipe.inputs:
            _report_unknown(name, recipe, None, problems)
            continue
        found = _word(recipe.inputs[name], text, base, problems)
        if found is None:
            broken.add(name)
        else:
            broken.discard(name)
            given[name] = found
    named: set[Path] = set()
    values: dict[str, Any] = {}
    for name, spec in recipe.inputs.items():
        if name in given and name not in broken:
            values[name] = _checked(spec, given[name], named, problems)
        elif name not in broken:
            values[name] = _default(spec, recipe, problems)
    if problems.has_errors:
        raise InvalidRecipe(problems.in_order())
    return BoundInputs(values, frozenset(named), {name: recorded(value) for name, value in values.items()})


def recorded(value: Any) -> Any:
    """A value as plan, journal and manifest hold it: a data: URL by its digest."""
    if type(value) is str:
        return _digest_of_data_url(value) if is_data_url(value) else value
    if type(value) is list:
        return [recorded(item) for item in value]
    if type(value) is dict:
        return {key: recorded(item) for key, item in value.items()}
    return value


def _digest_of_data_url(url: str) -> str:
    try:
        found = parse_data_url(url)
    except ValueError:
        return url
    return f"data:{found.media_type};sha256={hashlib.sha256(found.data).hexdigest()}"


# --- where values come from ----------------------------------------------------------------------------------------


def _read_inputs_file(
    path: Path, recipe: Recipe, base: Path, given: dict[str, _Given], problems: Problems
) -> set[str] | None:
    """The inputs that it names; None where it cannot be read: nobody knows then which are missing."""
    placed = base / path
    text = read_text(placed, str(path), problems)
    if text is None:
        return None
    before = len(problems)
    node = parse_yaml(with_whole_characters(text), str(path), problems)
    if node is None or len(problems) > before:
        return None
    if node.kind != "mapping":
        message = "a file of inputs is a mapping of names to values"
        problems.error(BAD_INPUT_FILE, message, node.place, "As in `photo: portrait.jpg`.")
        return None
    for name, (key, value) in node.entries.items():
        if name in recipe.inputs:
            given[name] = _Given(value.value, placed.parent, node_places(value), str(path))
        elif not name.startswith("x-"):
            _report_unknown(name, recipe, key.place, problems)
    return set(node.entries) & set(recipe.inputs)


def _word(spec: InputSpec, text: str, base: Path, problems: Problems) -> _Given | None:
    """`name=value`: the declared type decides how the text is read."""

    def given(value: Any) -> _Given:
        return _Given(value, base, lambda path: None, "-i")

    if text.startswith("@@"):
        text = text[1:]
    elif text.startswith("@"):
        return _from_file(spec, text[1:], base, problems)
    if spec.type == "string" or spec.type in MEDIA_WORDS or _takes_media_list(spec, text):
        return given(text)
    return given(word_value(text, spec.schema))


def _takes_media_list(spec: InputSpec, text: str) -> bool:
    items = spec.schema.get("items")
    of_media = isinstance(items, Mapping) and items.get("type") in MEDIA_WORDS
    return spec.type == "array" and of_media and not text.lstrip().startswith("[")


def _from_file(spec: InputSpec, written: str, base: Path, problems: Problems) -> _Given | None:
    path = base / written
    if spec.type in MEDIA_WORDS:
        message = f"input `{spec.name}`: {spec.type} takes the path itself"
        problems.error(WRONG_INPUT, message, None, f"Write `-i {spec.name}={written}`.")
        return None
    if spec.type == "string":
        text = read_text(path, written, problems)
        return None if text is None else _Given(text, path.parent, _nowhere, written)
    if spec.type not in {"array", "object"}:
        text = read_text(path, written, problems)
        return None if text is None else _Given(word_value(text.strip(), spec.schema), path.parent, _nowhere, written)
    found = read_value(path, written, spec.schema, problems)
    return None if found is None else _Given(found[0], path.parent, found[1], written)


def _nowhere(path: PathKey) -> Place | None:
    return None


# --- what they must be ---------------------------------------------------------------------------------------------


def _checked(spec: InputSpec, given: _Given, named: set[Path], problems: Problems) -> Any:
    if given.value is None and not spec.required and spec.default is None:
        return None
    report = _reporter(spec, given.where, problems)
    reader = MediaReader(given.base, confined=None, report=report, used=named)
    value = reader.normal(given.value, spec.schema)
    for mismatch in mismatches(value, spec.schema):
        report(WRONG_INPUT, mismatch.message, mismatch.hint, mismatch.path)
    return value


def _reporter(spec: InputSpec, where: Where, problems: Problems) -> Callable[[str, str, str | None, PathKey], None]:
    def report(code: str, message: str, hint: str | None, path: PathKey) -> None:
        words = "".join(f"[{part}]" if type(part) is int else f".{part}" for part in path)
        problems.error(code, f"input `{spec.name}{words}`: {message}", where(path), hint)

    return report


def _default(spec: InputSpec, recipe: Recipe, problems: Problems) -> Any:
    if spec.required:
        hint = f"Give it: `-i {spec.name}={_example(spec)}`."
        words = describe(spec.schema)
        message = f"the input `{spec.name}` is missing" + (f": {words}" if words else "")
        problems.error(MISSING_INPUT, message, None, hint)
        return None
    if spec.default is None:
        return None
    place = spec.places.value("default")
    reader = MediaReader(recipe.path.parent, recipe.boundary, _reporter(spec, lambda path: place, problems), set())
    return reader.normal(spec.default, spec.schema)


def _example(spec: InputSpec) -> str:
    examples = spec.schema.get("examples")
    if type(examples) is list and examples and type(examples[0]) in (str, int, float):
        return str(examples[0])
    return {
        "image": "portrait.jpg",
        "video": "clip.mp4",
        "audio": "voice.mp3",
        "integer": "1",
        "number": "1.5",
        "boolean": "true",
        "array": "'[one, two]'",
        "object": "@file.json",
    }.get(spec.type, "…")


def _report_unknown(name: str, recipe: Recipe, place: Place | None, problems: Problems) -> None:
    names = list(recipe.inputs)
    near = nearest(name, names)
    listing = ", ".join(f"`{known}`" for known in names)
    known = f"The inputs: {listing}." if names else "The recipe has no inputs."
    problems.error(
        UNKNOWN_INPUT, f"there is no input `{name}`", place, f"Did you mean `{near}`? {known}" if near else known
    )
