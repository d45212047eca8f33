"""A JSON document beside the results: whole or not there, the newest one under the name. What is in it is the engine's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from zenflow.artifacts import folders
from zenflow.artifacts.part import Part


def write_json(folder: Path, name: str, document: Any) -> Path:
    """Write it under `name` in `folder`, in place of an earlier one of ours. Raises ArtifactError."""
    folders.make_inside(folder, folder)
    target = folder / name
    try:
        part = Part(folder)
        try:
            part.write(_as_bytes(document))
            part.sync()
            part.stream.close()
            os.replace(part.path, target)
            folders.sync_folder(folder)
        finally:
            part.discard()
    except OSError as error:
        raise folders.from_system(error, target) from error
    return target


def _as_bytes(document: Any) -> bytes:
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    try:
        return (text + "\n").encode()
    except UnicodeEncodeError:  # half a character, which JSON of the service may hold
        return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()
