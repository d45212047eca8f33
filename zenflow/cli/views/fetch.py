"""What was paid for and is on disk now, and what is not there yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zenflow.app.recovery.fetch import FetchView
from zenflow.app.recovery.fetch_by_stamp import StampView
from zenflow.app.recovery.unassigned_files import FOLDER, MANIFEST
from zenflow.artifacts.base import SavedFile
from zenflow.cli.terminal.headings import relative_path, where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import cut, wrap
from zenflow.cli.terminal.units import plural, size

FILES_SHOWN = 20


def draw_fetch(view: FetchView, style: Style, width: int) -> str:
    found = view.collected
    lines = [style.strong(where_line(view.server)), f"run {view.run_id} → {relative_path(view.folder)}"]
    lines += _files(found.new, width)
    lines.append(_sum(found.new, found.kept))
    if found.texts:
        lines.append(f"{plural(len(found.texts), 'text')} below paid/")
    for asset_id, code, why in found.failures:
        text = why if not asset_id or asset_id in why else f"asset {asset_id}: {why}"
        lines += wrap(f"{text} [{code}]", width, "    ", style.bad("! "))
    if view.running:
        calls = sum(view.running.values())
        lines += wrap(f"{plural(calls, 'paid call')} not over yet: fetch again when it is.", width, "    ", "· ")
        lines += [f"    task {task_id}" for task_id in view.running]
    for lost in view.lost:
        lines += wrap(
            f"{lost}: paid, and its result cannot be found; see manifest.json", width, "    ", style.bad("! ")
        )
    lines += _unassigned(view, style, width)
    if view.is_whole:
        lines.append(style.good("Everything that this run has paid for is on disk."))
    return "\n".join(lines)


def _unassigned(view: FetchView, style: Style, width: int) -> list[str]:
    """What nobody can give to an input, and what a person must decide."""
    unassigned, lines = view.unassigned, []
    for task in unassigned.tasks:
        lines += wrap(
            f"task {task.task_id}, {plural(len(task.calls), 'call')}: {task.why}", width, "    ", style.warn("? ")
        )
    if unassigned.tasks:
        total = len(unassigned.new) + len(unassigned.kept)
        said = f"{plural(total, 'file')} of these laid aside below {FOLDER}/, and given to no step: {FOLDER}/{MANIFEST}"
        lines += wrap(said, width, "    ", "· ")
    for failure in unassigned.failures:
        lines += wrap(failure, width, "    ", style.bad("! "))
    if unassigned.running:
        lines += wrap(
            f"{plural(unassigned.running, 'call')} of these not over yet: fetch again when it is.", width, "    ", "· "
        )
    if view.undecided:
        numbers = ", ".join(f"#{number}" for number in view.undecided)
        lines += wrap(
            f"It is not known what became of {numbers}, or whose its results are.", width, "    ", style.warn("? ")
        )
        lines.append(f"{style.link('→')} zenflow reconcile {view.run_id}")
    return lines


def draw_stamped(view: StampView, style: Style, width: int) -> str:
    lines = [style.strong(where_line(view.server)), f"{plural(len(view.tasks), 'task')} → {relative_path(view.folder)}"]
    lines += _files(view.new, width)
    lines.append(_sum(view.new, view.kept))
    if view.texts:
        lines.append(f"{plural(len(view.texts), 'text')} below paid/")
    for failure in view.failures:
        lines += wrap(failure, width, "    ", style.bad("! "))
    return "\n".join(lines)


def fetch_error(view: FetchView) -> Mapping[str, Any] | None:
    if view.is_whole:
        return None
    if view.collected.failures:
        _, code, message = view.collected.failures[0]
        return {"code": code, "message": message, "hint": "`zenflow fetch` again"}
    if view.lost:
        return {"code": "ZF644", "message": view.lost[0], "hint": None}
    if view.unassigned.failures:
        return {"code": "ZF840", "message": view.unassigned.failures[0], "hint": "`zenflow fetch` again"}
    if view.undecided and not view.running:
        numbers = ", ".join(f"#{number}" for number in view.undecided)
        return {"code": "ZF642", "message": f"{numbers} to be decided", "hint": f"zenflow reconcile {view.run_id}"}
    return {"code": "ZF643", "message": "Paid calls are not over yet.", "hint": "`zenflow fetch` again later"}


def stamped_error(view: StampView) -> Mapping[str, Any] | None:
    return {"code": "ZF840", "message": view.failures[0], "hint": None} if view.failures else None


def fetch_document(view: FetchView) -> dict[str, Any]:
    found = view.collected
    return {
        "server": view.server,
        "run_id": view.run_id,
        "folder": str(view.folder),
        "new": [_row(file) for file in found.new],
        "kept": [_row(file) for file in found.kept],
        "texts": [{"path": f"{text.name}.json", "instance": text.instance} for text in found.texts],
        "failures": [{"asset_id": a or None, "code": code, "message": why} for a, code, why in found.failures],
        "running": [{"task_id": task_id, "calls": calls} for task_id, calls in view.running.items()],
        "not_retrievable": list(view.lost),
        "in_doubt": _unassigned_document(view),
    }


def _unassigned_document(view: FetchView) -> dict[str, Any]:
    unassigned = view.unassigned
    return {
        "tasks": [
            {"task_id": task.task_id, "tool": task.tool, "submission": task.submission, "why": task.why}
            for task in unassigned.tasks
        ],
        "new": [_row(file, f"{FOLDER}/") for file in unassigned.new],
        "kept": [_row(file, f"{FOLDER}/") for file in unassigned.kept],
        "failures": list(unassigned.failures),
        "running": unassigned.running,
        "undecided": list(view.undecided),
    }


def stamped_document(view: StampView) -> dict[str, Any]:
    return {
        "server": view.server,
        "account_id": view.account.account_id,
        "folder": str(view.folder),
        "tasks": [{"task_id": task.task_id, "tool": task.tool, "status": task.status} for task in view.tasks],
        "new": [_row(file) for file in view.new],
        "kept": [_row(file) for file in view.kept],
        "texts": [{"path": path} for path in view.texts],
        "failures": list(view.failures),
    }


def _files(new: Sequence[SavedFile], width: int) -> list[str]:
    lines = [cut(f"  {file.path}  ({size(file.bytes)})", width) for file in new[:FILES_SHOWN]]
    return [*lines, f"  … and {len(new) - FILES_SHOWN} more"] if len(new) > FILES_SHOWN else lines


def _sum(new: Sequence[SavedFile], kept: Sequence[SavedFile]) -> str:
    total = size(sum(file.bytes for file in new))
    return f"{plural(len(new), 'file')} fetched ({total}), {len(kept)} already there"


def _row(file: SavedFile, folder: str = "") -> dict[str, Any]:
    return {
        "path": folder + file.path,
        "asset_id": file.asset_id,
        "media_type": file.media_type,
        "bytes": file.bytes,
        "sha256": file.sha256,
    }
