"""Write a run as one HTML file that needs no network: money, graph, timeline, gallery, lineage.

Thumbnails and short media are embedded until the file holds `MOST_EMBEDDED` bytes. What is beyond goes to a folder
beside the file. All text of recipes and servers is data: Jinja2 escapes it, and control characters are made visible.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import quote

from zenflow.artifacts.thumbnails import Thumbnail, thumbnails
from zenflow.credits import as_text
from zenflow.foreign_text import visible
from zenflow.report.html.bars_svg import bars_svg
from zenflow.report.html.graph_svg import graph_svg
from zenflow.report.html.words import duration, file_size
from zenflow.report.run_view import FileView, InstanceView, RunView, problems_first, seconds_between
from zenflow.report.run_view_document import plain_json

MOST_EMBEDDED = 20_000_000  # bytes: mail servers refuse more
MOST_MEDIA = 4_000_000  # bytes of one clip or sound that is embedded
PROBLEMS_SHOWN = 100
_HIDDEN_PARAMETERS = frozenset({"prompt", "positive_prompt", "text", "script", "seed", "model"})


@dataclass(slots=True)
class HtmlPage:
    """The finished page. `beside`: what did not fit in it, by file name in the folder beside it."""

    html: str
    beside: dict[str, bytes | Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Lane:
    path: str
    from_s: float
    to_s: float
    left: float
    width: float


def report_page(view: RunView, file: Path, *, made: Callable[[int, int], None] = lambda done, of: None) -> HtmlPage:
    """Return the page of a run. `file`: where it will be. `made` is told how many thumbnails are done."""
    page = HtmlPage("")
    builder = _Cards(view, file, page, made)
    cards = builder.cards()
    money = view.money
    most = max(money.budget, money.charged, money.planned_expected, Decimal(1))
    originals = sum(1 for one in view.files if not one.is_preview)
    problems = list(problems_first(view.problems))
    script = _asset("report.js")
    told = {f"{one.instance}: {one.message}" for one in problems}
    page.html = _template().render(
        view=view,
        money=money,
        server=view.server,
        css=_raw(_asset("report.css")),
        script=_raw(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        graph=_raw(graph_svg(view.steps)),
        used=_percent(money.charged, most),
        planned_at=_percent(money.planned_expected, most),
        per_file=as_text(round(money.charged / originals, 2)) if originals else "–",
        originals=originals,
        problems=problems[:PROBLEMS_SHOWN],
        more_problems=max(0, len(problems) - PROBLEMS_SHOWN),
        reasons=[one for one in view.reasons if one[1] not in told][:PROBLEMS_SHOWN],
        lanes=lanes_of(view),
        cards=cards,
        card_steps=list(dict.fromkeys(card["one"].step for card in cards)),
        inputs=[(name, _short_json(value)) for name, value in view.inputs.items()],
        outputs=[(name, _short_json(value)) for name, value in view.outputs.items()],
        beside=f"{file.name}.files" if page.beside else "",
    )
    return page


class _Cards:
    """The gallery: a card per result, embedded media counted against the size of the page."""

    def __init__(self, view: RunView, file: Path, page: HtmlPage, made: Callable[[int, int], None]) -> None:
        self._view, self._file, self._page, self._made = view, file, page, made
        self._room = MOST_EMBEDDED
        self._shown = view.results
        self._thumbs: dict[Path, Thumbnail | None] = {}
        self._anchors = {one.instance: f"r-{number}" for number, one in enumerate(self._shown)}
        self._by_asset = {asset: one.instance for one in self._shown for asset in one.asset_ids}
        self._urls: dict[Path, str] = {}

    def cards(self) -> list[dict[str, Any]]:
        self._make_thumbnails()
        return [self._card(one, file) for one in self._shown for file in (one.files or (None,))]

    def _make_thumbnails(self) -> None:
        wanted = dict.fromkeys(
            [file.path for one in self._shown for file in one.files if file.media_type.startswith("image/")]
            + [Path(step.source) for one in self._shown for step in one.made_from if _is_local(step.source)]
        )
        for number, (path, made) in enumerate(thumbnails(wanted), 1):
            self._thumbs[path] = made
            self._made(number, len(wanted))

    def _card(self, one: InstanceView, file: FileView | None) -> dict[str, Any]:
        thumb = self._thumbs.get(file.path) if file is not None else None
        kind = file.media_type.partition("/")[0] if file is not None else ""
        media = self._media(file) if file is not None and kind in ("video", "audio") else ""
        first = file is None or not one.files or file is one.files[0]
        took = seconds_between(one.began_at, one.ended_at) if one.began_at and one.ended_at else None
        return {
            "one": one,
            "file": file,
            "anchor": self._anchors[one.instance] if first else f"{self._anchors[one.instance]}-{file.sha256[:8]}",  # type: ignore[union-attr]
            "title": _title(one, file),
            "alt": visible(one.prompt or _title(one, file)),
            "thumb": self._url(file.path, thumb) if thumb is not None and file is not None else "",
            "width": thumb.width if thumb else None,
            "height": thumb.height if thumb else None,
            "pixels": f"{thumb.original_width} × {thumb.original_height}" if thumb else "",
            "video": media if kind == "video" else "",
            "audio": media if kind == "audio" else "",
            "link": _link(file.path, self._file) if file is not None else "",
            "nothing": _nothing(one, file),
            "preview": file is not None and file.is_preview,
            "asset": file.asset_id if file is not None else (one.asset_ids[0] if one.asset_ids else ""),
            "took": took,
            "parameters": _parameters(one.parameters),
            "line": [
                {
                    "instance": step.instance,
                    "tool": step.tool,
                    "source": Path(step.source).name if _is_local(step.source) else step.source,
                    "prompt": step.prompt if step.prompt != one.prompt else None,
                    "anchor": self._anchors.get(step.instance, ""),
                    "thumb": self._source_thumb(step.source),
                }
                for step in one.made_from
            ],
        }

    def _source_thumb(self, source: str | None) -> str:
        if not _is_local(source):
            return ""
        path = Path(str(source))
        thumb = self._thumbs.get(path)
        return self._url(path, thumb) if thumb is not None else ""

    def _url(self, path: Path, thumb: Thumbnail) -> str:
        """Return the thumbnail's address: embedded while there is room, else a file beside the page."""
        known = self._urls.get(path)
        if known is None:
            known = self._urls[path] = self._place(thumb.webp, "image/webp", ".webp")
        elif known.startswith("data:"):
            self._room -= len(known)
        return known

    def _place(self, body: bytes, media_type: str, ending: str) -> str:
        data = f"data:{media_type};base64,{base64.b64encode(body).decode()}"
        if len(data) <= self._room:
            self._room -= len(data)
            return data
        name = hashlib.sha256(body).hexdigest()[:24] + ending
        self._page.beside[name] = body
        return f"{quote(self._file.name)}.files/{name}"

    def _media(self, file: FileView) -> str:
        """Return a clip's or sound's address; empty where its file is gone."""
        try:
            if file.bytes <= min(MOST_MEDIA, self._room):
                return self._place(file.path.read_bytes(), file.media_type, file.path.suffix)
            if file.path.is_file():
                name = file.sha256.removeprefix("sha256:")[:24] + file.path.suffix
                self._page.beside[name] = file.path
                return f"{quote(self._file.name)}.files/{quote(name)}"
        except OSError:
            pass
        return ""


def write_page(page: HtmlPage, file: Path, write: Callable[[Path, bytes], None]) -> Path | None:
    """Write the page and what is beside it; return the folder beside it. `write` writes one file, whole or not at all."""
    folder = file.with_name(file.name + ".files")
    if page.beside:
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in page.beside.items():
            target = folder / name
            if isinstance(body, Path):
                if not target.exists():
                    shutil.copyfile(body, target)
            else:
                write(target, body)
    write(file, page.html.encode())
    return folder if page.beside else None


def lanes_of(view: RunView) -> list[_Lane]:
    """Return when each step was at work, as shares of the whole time."""
    timed = [step for step in view.steps if step.began_at and step.ended_at]
    ends = [seconds_between(view.started_at, step.ended_at) for step in timed if step.ended_at]
    total = max([*ends, view.duration_s or 0.0, 0.001])
    lanes = []
    for step in timed:
        begin = seconds_between(view.started_at, step.began_at or view.started_at)
        end = max(begin, seconds_between(view.started_at, step.ended_at or view.started_at))
        lanes.append(_Lane(step.path, begin, end, round(100 * begin / total, 2), round(100 * (end - begin) / total, 2)))
    return lanes


def _title(one: InstanceView, file: FileView | None) -> str:
    if file is not None:
        return file.name
    item = one.item
    if isinstance(item, Mapping):
        return " · ".join(str(value) for value in item.values())
    return str(item) if isinstance(item, str | int | float) else one.instance


def _nothing(one: InstanceView, file: FileView | None) -> str:
    if file is not None:
        return f"{file.media_type}, {file_size(file.bytes)}"
    if one.status == "done":
        return "no file was saved of this result"
    return one.message or one.status


def _parameters(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, _short_json(value)) for name, value in parameters.items() if name not in _HIDDEN_PARAMETERS]


def _short_json(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(plain_json(value), ensure_ascii=False)
    return text if len(text) <= 600 else text[:600] + " …"


def _is_local(source: str | None) -> TypeGuard[str]:
    return bool(source) and "://" not in str(source) and not str(source).startswith("data:") and os.sep in str(source)


def _link(target: Path, page: Path) -> str:
    try:
        return quote(os.path.relpath(target, page.parent))
    except ValueError:  # another drive
        return ""


def _percent(part: Decimal, whole: Decimal) -> str:
    return f"{min(Decimal(100), max(Decimal(0), 100 * part / whole)):.1f}"


def _planned(planned: Mapping[str, Any] | None) -> str:
    if not planned:
        return "–"
    low, expected, worst = (planned.get(name) for name in ("low", "expected", "worst"))
    return f"{expected}" if low == worst else f"{expected} ({low} to {worst})"


def _counted(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    return f"{counts.get('done', 0)} of {total}"


def _moment(at: str) -> str:
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M UTC")


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _raw(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # our own files and drawings, never foreign text


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined, finalize=_finalized
    )
    environment.filters.update(page_filters())
    return environment.from_string(_asset("report.html.j2"))


def page_filters() -> Mapping[str, Callable[[Any], Any]]:
    """Return the filters that pages share: amounts, durations, sizes, moments, classes."""
    return {
        "credits": as_text,
        "span": duration,
        "size": file_size,
        "moment": _moment,
        "planned": _planned,
        "counted": _counted,
        "css": lambda word: str(word).replace(" ", "-"),
        "shortjson": _short_json,
        "markup": _raw,
        "bars": bars_svg,
    }


def _finalized(value: Any) -> Any:
    """Make control characters of foreign text visible; markup of our own is left as it is."""
    return visible(value) if type(value) is str else value
