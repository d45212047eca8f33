"""`name=@file`: what a file says as the value of an input (rule 7): text, JSON, JSON lines, YAML, CSV.

Knows one declared fragment, for the types of CSV's columns. Problems say the line.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zenflow.host.reading import read_regular
from zenflow.problems import Place, Problems
from zenflow.recipe.model import PathKey
from zenflow.recipe.text.nodes import Node
from zenflow.recipe.text.reader import parse_yaml
from zenflow.recipe.text.scalars import BadScalar, normal_number, resolve_plain
from zenflow.suggest import nearest

NO_FILE = "ZF520"
UNREADABLE = "ZF521"
BAD_FILE = "ZF522"
UNKNOWN_ENDING = "ZF523"
BAD_CSV = "ZF524"
MAX_FILE = 16 * 1024 * 1024
_MAX_ROWS = 100_000
Where = Callable[[PathKey], Place | None]
_FOLDER = "`@` stands before the path of a file. A list of pictures takes a folder without `@`; a literal `@` is written `@@`."
_TEXT_TYPES = frozenset({"string", "image", "video", "audio"})


def read_text(path: Path, written: str, problems: Problems) -> str | None:
    """The text of a file that an input names."""
    try:
        if path.is_dir():
            problems.error(UNREADABLE, f"`{written or '@'}` is a folder, and a file is wanted", None, _FOLDER)
            return None
        data = read_regular(path, MAX_FILE + 1)
    except FileNotFoundError:
        problems.error(
            NO_FILE,
            f"there is no file `{written}`",
            None,
            _nearby(path) or "A text that begins with `@` is written `@@…`.",
        )
        return None
    except (OSError, ValueError) as error:
        problems.error(UNREADABLE, f"`{written}` cannot be read: {getattr(error, 'strerror', None) or error}")
        return None
    if len(data) > MAX_FILE:
        problems.error(UNREADABLE, f"`{written}` is larger than {MAX_FILE // 1024 // 1024} MiB")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problems.error(
            UNREADABLE, f"`{written}` is not UTF-8 text", Place(written, line, 1, line, 2), "Save it as UTF-8."
        )
        return None


def _nearby(path: Path) -> str | None:
    try:
        near = nearest(path.name, [entry.name for entry in path.parent.iterdir()][:1000])
    except OSError:
        return None
    return f"Did you mean `{near}`?" if near else None


def read_value(path: Path, written: str, schema: Mapping[str, Any], problems: Problems) -> tuple[Any, Where] | None:
    """A list or an object out of a file, by its ending, with the place of each part as far as it is known."""
    text = read_text(path, written, problems)
    if text is None:
        return None
    ending = path.suffix.lower()
    if ending in {".yaml", ".yml"}:
        return _yaml(text, written, problems)
    if ending == ".json":
        return _json(text, written, problems)
    if ending == ".jsonl":
        return _json_lines(text, written, problems)
    if ending == ".csv":
        return _csv(text, written, schema, problems)
    problems.error(
        UNKNOWN_ENDING,
        f"`{written}`: the ending says nothing of how to read it",
        None,
        "Known: .json, .jsonl, .yaml, .csv.",
    )
    return None


def node_places(node: Node) -> Where:
    """Places out of a YAML tree."""

    def where(path: PathKey) -> Place | None:
        current = node
        for part in path:
            following = current.get(part) if isinstance(part, str) else None
            if isinstance(part, int) and part < len(current.items):
                following = current.items[part]
            if following is None:
                return current.place
            current = following
        return current.place

    return where


def _yaml(text: str, written: str, problems: Problems) -> tuple[Any, Where] | None:
    before = len(problems)
    node = parse_yaml(text, written, problems)
    if node is None or len(problems) > before:
        return None
    return node.value, node_places(node)


def _json(text: str, written: str, problems: Problems) -> tuple[Any, Where] | None:
    value = parse_json(text, written, 1, problems)
    return None if value is _BROKEN else (value, lambda path: Place(written, 1, 1, 1, 2))


_BROKEN = object()


def parse_json(text: str, written: str, first_line: int, problems: Problems) -> Any:
    """JSON with rule 2's numbers and without doubled keys; `_BROKEN` and a problem where it is none."""
    try:
        return json.loads(text, parse_float=_number, parse_constant=_no_constant, object_pairs_hook=_no_doubles)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        problems.error(
            BAD_FILE, f"this is not JSON: {error.msg}", Place(written, line, error.colno, line, error.colno + 1)
        )
    except (ValueError, RecursionError) as error:
        message = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        problems.error(BAD_FILE, f"this JSON cannot be read: {message}", Place(written, first_line, 1, first_line, 2))
    return _BROKEN


def _number(text: str) -> int | float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text} is too large")
    return normal_number(number)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        doubled = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key `{doubled}` is written twice")
    return found


def _json_lines(text: str, written: str, problems: Problems) -> tuple[Any, Where] | None:
    rows: list[Any] = []
    lines: list[int] = []
    broken = False
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        value = parse_json(line, written, number, problems)
        if value is _BROKEN:
            broken = True
            if len(problems) > 20:
                return None
            continue
        rows.append(value)
        lines.append(number)
    return None if broken else (rows, _rows_places(written, lines))


def _rows_places(written: str, lines: list[int]) -> Where:
    def where(path: PathKey) -> Place | None:
        row = path[0] if path else None
        line = lines[row] if isinstance(row, int) and row < len(lines) else 1
        return Place(written, line, 1, line, 2)

    return where


def _csv(text: str, written: str, schema: Mapping[str, Any], problems: Problems) -> tuple[Any, Where] | None:
    """The header names the columns; cells are read by the column's type; an empty cell is null."""
    items = schema.get("items") if isinstance(schema.get("items"), Mapping) else {}
    columns: Mapping[str, Any] = (items or {}).get("properties") or {}
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Any] = []
    lines: list[int] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if not _check_header(header, columns, items or {}, written, problems):
            return None
        for cells in reader:
            if not cells or cells == [""]:
                continue
            line = reader.line_num
            if len(cells) != len(header):
                message = f"the row has {len(cells)} cells, and the header names {len(header)} columns"
                problems.error(
                    BAD_CSV,
                    message,
                    Place(written, line, 1, line, 2),
                    "A cell that holds a comma stands in double quotes.",
                )
                return None
            if len(rows) >= _MAX_ROWS:
                problems.error(
                    BAD_CSV, f"`{written}` has more than {_MAX_ROWS:,} rows", Place(written, line, 1, line, 2)
                )
                return None
            row = {name: cell_value(cell, columns.get(name, {})) for name, cell in zip(header, cells, strict=True)}
            rows.append(row if _of_objects(items or {}) else row[header[0]])
            lines.append(line)
    except csv.Error as error:
        problems.error(BAD_CSV, f"this is not CSV: {error}", Place(written, reader.line_num, 1, reader.line_num, 2))
        return None
    return rows, _rows_places(written, lines)


def _of_objects(items: Mapping[str, Any]) -> bool:
    return bool(items.get("type", "object") == "object")


def _check_header(
    header: list[str], columns: Mapping[str, Any], items: Mapping[str, Any], written: str, problems: Problems
) -> bool:
    place = Place(written, 1, 1, 1, 2)
    if not header or header == [""]:
        problems.error(BAD_CSV, f"`{written}` has no header", place, "The first line names the columns.")
        return False
    if not _of_objects(items) and len(header) > 1:
        problems.error(
            BAD_CSV,
            f"a list of {items.get('type')} comes from a CSV with one column, and this one has {len(header)}",
            place,
        )
        return False
    doubled = next((name for position, name in enumerate(header) if name in header[:position]), None)
    if doubled is not None:
        problems.error(BAD_CSV, f"the column `{doubled}` is named twice", place)
        return False
    unknown = [name for name in header if columns and name not in columns]
    for name in unknown:
        near = nearest(name, columns)
        listing = ", ".join(f"`{column}`" for column in columns)
        hint = f"Did you mean `{near}`? The columns: {listing}." if near else f"The columns: {listing}."
        problems.error(
            BAD_CSV, f"unknown column `{name}`", place, "Separate the columns with commas." if ";" in name else hint
        )
    return not unknown


def cell_value(cell: str, schema: Mapping[str, Any]) -> Any:
    """One cell: text for strings and media, YAML's scalars for the rest, null when empty."""
    if cell == "":
        return None
    return word_value(cell, schema) if schema.get("type", "string") not in _TEXT_TYPES else cell


def with_whole_characters(text: str) -> str:
    """JSON writes one character beyond the first plane as two escapes (RFC 8259, 7); YAML knows the long escape alone."""
    if text.lstrip()[:1] not in ("[", "{"):
        return text

    def whole(pair: re.Match[str]) -> str:
        high, low = int(pair[2], 16), int(pair[3], 16)
        return f"{pair[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"

    return _PAIR.sub(whole, text)


_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def word_value(text: str, schema: Mapping[str, Any]) -> Any:
    """Text read by rule 1; what is no such value stays the text that it was, for the check of types to name."""
    if schema.get("type") in {"array", "object"}:
        found = Problems()
        node = parse_yaml(with_whole_characters(text), "", found)
        return text if node is None or len(found) else node.value
    try:
        return resolve_plain(text.strip())
    except BadScalar:
        return text
