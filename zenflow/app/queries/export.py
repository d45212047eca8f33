"""Pack the files of a run into one ZIP: what the journal lists, with manifest and outputs. Nothing is compressed twice."""

from __future__ import annotations

import os
import secrets
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zenflow.app.queries.run_views import cannot_write
from zenflow.errors import UsageError
from zenflow.host.writing import new_file
from zenflow.report.run_view import RunView

BESIDE = ("manifest.json", "outputs.json", "report.html")
NOTHING = "ZF079"


@dataclass(frozen=True, slots=True)
class Exported:
    """A written archive. `missing`: files that the journal lists and that are not on disk."""

    file: Path
    bytes: int
    files: int
    missing: tuple[str, ...]


def export_zip(view: RunView, target: Path, *, flat: bool = False, previews: bool = False) -> Exported:
    """Write the archive. `flat`: no folders in it; `previews`: with the pictures that are not originals.

    Raises UsageError where there is nothing to pack, or the archive cannot be written.
    """
    wanted = [file for file in view.files if previews or not file.is_preview]
    there = [file for file in wanted if file.path.is_file()]
    if not there:
        hint = f"Save them first: `zenflow fetch {view.run_id}`."
        raise UsageError(NOTHING, f"run {view.run_id} has no files on disk", hint)
    part = target.with_name(f".{secrets.token_hex(8)}.zenflow-new")
    try:
        with new_file(part) as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                for file in there:
                    archive.write(file.path, file.name.replace("/", "-") if flat else file.name)
                for name in BESIDE:
                    if (view.out_dir / name).is_file():
                        archive.write(view.out_dir / name, name, zipfile.ZIP_DEFLATED)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, target)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise cannot_write(target, error) from error
    missing = tuple(file.name for file in wanted if not file.path.is_file())
    return Exported(target, target.stat().st_size, len(there), missing)
