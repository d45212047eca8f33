"""A form from a recipe's inputs, and the words that a sent form stands for: the same words as `-i NAME=VALUE`."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from starlette.datastructures import FormData, UploadFile

from zenflow.credits import credits_from
from zenflow.errors import UsageError
from zenflow.host.writing import make_private_folder, new_file
from zenflow.recipe.model import InputSpec, Recipe

_MEDIA = ("image", "video", "audio")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FormField:
    """One input as the page shows it. `kind`: text, area, number, switch, choice, lines, file, files."""

    name: str
    kind: str
    label: str
    value: str
    required: bool
    choices: tuple[str, ...] = ()
    accept: str = ""
    step: str = "any"


def fields_of(recipe: Recipe, given: dict[str, str]) -> list[FormField]:
    """Return the fields of a recipe; `given` holds what the operator has typed already."""
    return [_field(spec, given.get(spec.name)) for spec in recipe.inputs.values()]


def _field(spec: InputSpec, given: str | None) -> FormField:
    label = spec.description or ""
    schema, items = spec.schema, spec.schema.get("items") or {}
    default = None if spec.required else spec.default
    if spec.type in _MEDIA:
        return FormField(spec.name, "file", label, given or _words(default), spec.required, accept=f"{spec.type}/*")
    if spec.type == "array" and items.get("type") in _MEDIA:
        return FormField(
            spec.name, "files", label, given or _words(default), spec.required, accept=f"{items['type']}/*"
        )
    if "enum" in schema:
        choices = tuple(str(one) for one in schema["enum"])
        return FormField(spec.name, "choice", label, given or _words(default), spec.required, choices)
    if spec.type == "boolean":
        return FormField(spec.name, "switch", label, given or _words(bool(default)), False)
    if spec.type in ("integer", "number"):
        step = "1" if spec.type == "integer" else "any"
        return FormField(spec.name, "number", label, given or _words(default), spec.required, step=step)
    if spec.type == "array" and items.get("type", "string") == "string":
        lines = given if given is not None else "\n".join(map(str, default or ()))
        return FormField(spec.name, "lines", label, lines, spec.required)
    kind = "text" if spec.type == "string" and int(schema.get("maxLength", 999)) <= 80 else "area"
    return FormField(spec.name, kind, label, given if given is not None else _words(default), spec.required)


def _words(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def words_of(recipe: Recipe, form: FormData, folder: Path) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
    """Return the inputs as words, and what was typed by name. Uploads are kept below `folder`."""
    words: list[tuple[str, str]] = []
    typed: dict[str, str] = {}
    for field in fields_of(recipe, {}):
        uploads = [one for one in form.getlist(f"file:{field.name}") if isinstance(one, UploadFile) and one.filename]
        paths = [await _keep(upload, folder) for upload in uploads]
        text = str(form.get(f"in:{field.name}") or "").replace("\r\n", "\n").strip()
        if paths:
            text = str(paths[0]) if field.kind == "file" else json.dumps([str(path) for path in paths])
        typed[field.name] = text
        if text == field.value and not field.required and field.kind != "switch":
            continue  # the recipe's own default: paths in it begin at the recipe
        if field.kind == "switch":
            words.append((field.name, "true" if form.get(f"in:{field.name}") else "false"))
        elif field.kind == "lines":
            if text:
                words.append((field.name, json.dumps([line for line in text.split("\n") if line.strip()])))
        elif text:
            words.append((field.name, text))
    return tuple(words), typed


def budget_of(form: FormData) -> Decimal | None:
    """Return the typed budget. Raises UsageError where it is not a number of credits."""
    text = str(form.get("budget") or "").strip()
    if not text:
        return None
    amount = credits_from(text)
    if amount is None or amount < 0:
        raise UsageError("ZF005", f"invalid budget `{text}`", "Write a number of credits, such as `60`.")
    return amount


async def _keep(upload: UploadFile, folder: Path) -> Path:
    """Write an uploaded file under its own name in a folder of its own."""
    place = folder / secrets.token_hex(8)
    make_private_folder(place)
    name = re.sub(r"[^\w.\- ]+", "_", Path(str(upload.filename)).name).strip(". ") or "file"
    target = place / name[-120:]
    with new_file(target, private=True) as file:
        while chunk := await upload.read(_CHUNK):
            file.write(chunk)
    return target


def picked_places(form: FormData, address: str) -> Sequence[int]:
    """Return the places chosen for one `pick`, counted from 1."""
    return [int(text) for text in map(str, form.getlist(f"pick:{address}")) if re.fullmatch(r"[0-9]{1,6}", text)]
