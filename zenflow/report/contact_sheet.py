"""A contact sheet: the results of one step as one PNG, with numbered cells, a caption and the price.

Instances of a mapping `foreach` with two names become a table of rows and columns; every other step becomes a grid.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zenflow.artifacts.thumbnails import thumbnails
from zenflow.credits import as_text
from zenflow.errors import UsageError
from zenflow.foreign_text import visible
from zenflow.report.run_view import FileView, InstanceView, RunView

MOST_CELLS = 2_000
_PAPER, _INK, _SOFT, _LINE, _BADGE = "#ffffff", "#1c1d1f", "#5c5f66", "#dcdcd7", "#3355d4"
_GAP, _CAPTION, _HEAD = 12, 44, 56

NO_STEP, NO_AXIS, TOO_MANY, NOTHING = "ZF045", "ZF046", "ZF047", "ZF048"


@dataclass(frozen=True, slots=True)
class Cell:
    """One picture of a sheet. `number` counts from 1, as `pick` counts its candidates."""

    number: int
    file: Path | None
    caption: str
    price: str
    note: str = ""  # what stands there when there is no picture


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet before it is drawn. `columns` and `rows` are headings; both are empty for a plain grid."""

    title: str
    cells: tuple[Cell, ...]
    across: int
    columns: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    places: tuple[int, ...] = ()  # the place of each cell, row by row


def sheet_of(view: RunView, step: str | None = None, rows: str | None = None, columns: str | None = None) -> Sheet:
    """Return the sheet of a step; left out, the last step with pictures.

    `rows` and `columns` name axes as `item.NAME`; left out, a mapping `foreach` of two names gives both.
    Raises UsageError for an unknown step or axis, and for a step without pictures.
    """
    shown = _instances(view, step)
    cells = tuple(_cell(number, one, file) for number, (one, file) in enumerate(shown, 1))
    if len(cells) > MOST_CELLS:
        hint = f"Name a step with fewer results: {', '.join(_steps_with_results(view))}."
        raise UsageError(TOO_MANY, f"a sheet of {len(cells)} cells is too large: at most {MOST_CELLS}", hint)
    title = f"{view.recipe} {view.version} · {shown[0][0].step} · run {view.run_id}"
    axes = _axes([one for one, _ in shown], rows, columns)
    if axes is None:
        return Sheet(title, cells, across=_across(len(cells)))
    row_key, column_key = axes
    row_values = list(dict.fromkeys(_axis_text(one, row_key) for one, _ in shown)) if row_key else [""]
    column_values = list(dict.fromkeys(_axis_text(one, column_key) for one, _ in shown)) if column_key else [""]
    places, kept, taken = [], [], set()
    for cell, (one, _) in zip(cells, shown, strict=True):
        row = row_values.index(_axis_text(one, row_key)) if row_key else 0
        column = column_values.index(_axis_text(one, column_key)) if column_key else 0
        place = row * len(column_values) + column
        if place not in taken:  # several results of one combination: the first is shown
            taken.add(place)
            places.append(place)
            kept.append(cell)
    return Sheet(title, tuple(kept), len(column_values), tuple(column_values), tuple(row_values), tuple(places))


def candidates_sheet(title: str, files: Sequence[Path | None], captions: Sequence[str]) -> Sheet:
    """Return the sheet of a `pick`: its candidates with their numbers."""
    cells = tuple(
        Cell(number, file, caption, "", "" if file else "no preview")
        for number, (file, caption) in enumerate(zip(files, captions, strict=True), 1)
    )
    return Sheet(title, cells, _across(len(cells)))


def draw(sheet: Sheet) -> bytes:
    """Return the sheet as PNG."""
    from PIL import Image, ImageDraw

    side = 256 if len(sheet.cells) <= 120 else 160 if len(sheet.cells) <= 500 else 96
    left = 150 if any(sheet.rows) else _GAP
    top = _HEAD + (30 if any(sheet.columns) else 0)
    places = sheet.places or tuple(range(len(sheet.cells)))
    down = max(places, default=0) // sheet.across + 1
    width = left + sheet.across * (side + _GAP) + _GAP
    picture = Image.new("RGB", (max(width, 420), top + down * (side + _CAPTION + _GAP) + _GAP), _PAPER)
    pen = ImageDraw.Draw(picture)
    _write(pen, (left, 18), sheet.title, 20, _INK, picture.width - left - _GAP)
    for number, heading in enumerate(sheet.columns):
        _write(pen, (left + number * (side + _GAP), _HEAD), heading, 16, _INK, side)
    for number, heading in enumerate(sheet.rows):
        y = top + number * (side + _CAPTION + _GAP)
        for line, text in enumerate(_lines(pen, heading, 16, left - 2 * _GAP)):
            _write(pen, (_GAP, y + 20 * line), text, 16, _INK, left - 2 * _GAP)
    made = dict(thumbnails({one.file: None for one in sheet.cells if one.file}, side))
    for place, cell in zip(places, sheet.cells, strict=True):
        x, y = left + place % sheet.across * (side + _GAP), top + place // sheet.across * (side + _CAPTION + _GAP)
        _draw_cell(picture, pen, cell, made.get(cell.file) if cell.file else None, (x, y), side)
    body = io.BytesIO()
    picture.save(body, "PNG", optimize=False, compress_level=6)
    return body.getvalue()


def _draw_cell(picture: Any, pen: Any, cell: Cell, thumb: Any, at: tuple[int, int], side: int) -> None:
    from PIL import Image

    x, y = at
    pen.rectangle((x, y, x + side - 1, y + side - 1), fill="#f2f2ef", outline=_LINE)
    if thumb is not None:
        with Image.open(io.BytesIO(thumb.webp)) as small:
            small.load()
            shown = small.convert("RGBA")
        picture.paste(shown, (x + (side - shown.width) // 2, y + (side - shown.height) // 2), shown)
    else:
        _write(pen, (x + 10, y + side // 2 - 8), cell.note or "no picture", 14, _SOFT, side - 20)
    label = str(cell.number)
    badge = 14 + 9 * len(label)
    pen.rounded_rectangle((x + 6, y + 6, x + 6 + badge, y + 30), 6, fill=_BADGE)
    _write(pen, (x + 13, y + 9), label, 16, "#ffffff", badge)
    price = _width(pen, cell.price, 14)
    _write(pen, (x, y + side + 6), cell.caption, 14, _INK, side - price - 8)
    _write(pen, (x + side - price, y + side + 6), cell.price, 14, _SOFT, side)


def _write(pen: Any, at: tuple[float, float], text: str, size: int, colour: str, most: float) -> None:
    """Write one line, cut with `…` where it is too wide."""
    line = visible(text).replace("\n", " ")
    while line and _width(pen, line, size) > most:
        line = line[: -2 if line.endswith("…") else -1].rstrip() + "…" if len(line) > 1 else ""
    pen.text(at, line, fill=colour, font=_font(size))


def _lines(pen: Any, text: str, size: int, most: float) -> list[str]:
    lines, line = [], ""
    for word in visible(text).split():
        longer = f"{line} {word}".strip()
        if line and _width(pen, longer, size) > most:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line][:6]


def _width(pen: Any, text: str, size: int) -> float:
    return float(pen.textlength(visible(text), font=_font(size)))


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _instances(view: RunView, step: str | None) -> list[tuple[InstanceView, FileView | None]]:
    known = _steps_with_results(view)
    if step is not None and step not in known:
        every = [one.path for one in view.steps]
        text = f"the step `{step}` has no pictures" if step in every else f"unknown step `{step}`"
        hint = f"Steps with pictures: {', '.join(known)}." if known else "This run saved no pictures."
        raise UsageError(NO_STEP, text, hint)
    if not known:
        hint = "Add a `download` or `preview` step, or fetch the results: `zenflow fetch RUN`."
        raise UsageError(NOTHING, f"run {view.run_id} saved no pictures", hint.replace("RUN", view.run_id))
    wanted = step or known[-1]
    found = [one for one in view.instances if one.step == wanted]
    return [(one, _picture(one)) for one in found]


def _steps_with_results(view: RunView) -> list[str]:
    return list(dict.fromkeys(one.step for one in view.instances if _picture(one) is not None))


def _picture(one: InstanceView) -> FileView | None:
    pictures = [file for file in one.files if file.media_type.startswith("image/")]
    return next((file for file in pictures if not file.is_preview), pictures[0] if pictures else None)


def _cell(number: int, one: InstanceView, file: FileView | None) -> Cell:
    item = one.item
    if isinstance(item, Mapping):
        caption = " · ".join(_short(value) for value in item.values())
    elif item is not None:
        caption = _short(item)
    else:
        caption = Path(file.name).stem if file is not None else one.instance
    if file is not None and file.is_preview:
        caption = f"preview · {caption}"
    return Cell(
        number, file.path if file else None, caption, f"{as_text(one.credits)} cr", one.status if not file else ""
    )


def _axes(shown: Sequence[InstanceView], rows: str | None, columns: str | None) -> tuple[str | None, str | None] | None:
    """Return the names of both axes; None for a plain grid."""
    names = _mapping_names(shown)
    if rows is None and columns is None:
        return (names[0], names[1]) if len(names) == 2 else None
    return _axis_name(rows, names), _axis_name(columns, names)


def _mapping_names(shown: Sequence[InstanceView]) -> list[str]:
    items = [one.item for one in shown]
    if not items or not all(isinstance(item, Mapping) for item in items):
        return []
    return list(items[0])


def _axis_name(written: str | None, names: Sequence[str]) -> str | None:
    if written is None:
        return None
    name = written.removeprefix("item.")
    if name not in names:
        known = (
            f"Axes of this step: {', '.join(f'item.{one}' for one in names)}." if names else "This step has no axes."
        )
        raise UsageError(NO_AXIS, f"unknown axis `{written}`", known)
    return name


def _axis_text(one: InstanceView, name: str | None) -> str:
    return _short(one.item.get(name, "")) if name and isinstance(one.item, Mapping) else ""


def _short(value: Any) -> str:
    if isinstance(value, str) and ("/" in value or "\\" in value) and len(value) > 30:
        return Path(value).stem
    return str(value)


def _across(count: int) -> int:
    """Return the columns of a plain grid, a little wider than high."""
    return max(1, min(12, math.ceil(math.sqrt(count * 1.4))))
