"""Runs as the forms that show them need them: from the journal, offline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.queries import runs
from zenflow.errors import UsageError
from zenflow.history.events import Event
from zenflow.host.writing import replace_file
from zenflow.report.build_run_view import run_view
from zenflow.report.run_view import RunView

if TYPE_CHECKING:
    from zenflow.report.contact_sheet import Sheet

NO_START = "ZF044"
CANNOT_WRITE = "ZF034"


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A report on disk. `beside`: the folder with the media that did not fit in it."""

    file: Path
    bytes: int
    view: RunView
    beside: Path | None


async def view_of(word: str | None, settings: Settings) -> RunView:
    """Return the view of one run; left out, the last. Raises NoSuchRun, and UsageError for a run without a start."""
    journal = wiring.open_journal(settings, wiring.clock(), read_only=True)
    try:
        row = runs.find(journal, word)
        events = journal.events(row.run_id)
    finally:
        await journal.close()
    try:
        return run_view(events)
    except ValueError as error:
        hint = "Name another run: `zenflow runs` lists them."
        raise UsageError(NO_START, f"invalid run {row.run_id}: {error}", hint) from error


def write_report(
    view: RunView, target: Path | None, current: Path, made: Callable[[int, int], None] = lambda done, of: None
) -> WrittenReport:
    """Write the HTML report of a run. `target`: a file or a folder; None: in the run's output folder.

    Raises UsageError where the file cannot be written.
    """
    from zenflow.report.html.page import report_page, write_page

    file = _file_for(view, target, current, "report", ".html")
    page = report_page(view, file, made=made)
    try:
        beside = write_page(page, file, replace_file)
    except OSError as error:
        raise cannot_write(file, error) from error
    return WrittenReport(file, len(page.html.encode()), view, beside)


def leave_report(events: Sequence[Event], folder: Path) -> Path:
    """Write `report.html` into a run's folder at its end. Raises UsageError and ValueError."""
    return write_report(run_view(events), folder / "report.html", folder).file


@dataclass(frozen=True, slots=True)
class WrittenSheet:
    """A contact sheet on disk."""

    file: Path
    bytes: int
    run_id: str
    sheet: Sheet

    @property
    def cells(self) -> int:
        return len(self.sheet.cells)


def write_sheet(
    view: RunView, step: str | None, rows: str | None, columns: str | None, target: Path | None, current: Path
) -> WrittenSheet:
    """Write a contact sheet of a step. Raises UsageError: an unknown step or axis, no pictures, a file that cannot be."""
    from zenflow.report.contact_sheet import draw, sheet_of

    sheet = sheet_of(view, step, rows, columns)
    file = _file_for(view, target, current, "sheet", ".png")
    body = draw(sheet)
    try:
        replace_file(file, body)
    except OSError as error:
        raise cannot_write(file, error) from error
    return WrittenSheet(file, len(body), view.run_id, sheet)


def _file_for(view: RunView, target: Path | None, current: Path, name: str, ending: str) -> Path:
    if target is None:
        folder = view.out_dir if view.out_dir.is_dir() else current
        return folder / f"{name}{ending}" if folder == view.out_dir else folder / f"{name}-{view.run_id}{ending}"
    target = current / target
    return target / f"{name}-{view.run_id}{ending}" if target.is_dir() else target


def cannot_write(file: Path, error: OSError) -> UsageError:
    """Return the error for a file that cannot be written."""
    return UsageError(
        CANNOT_WRITE, f"cannot write {file}: {error.strerror or error}", "Name another file with `-o FILE`."
    )
