"""A file fit for a bug report: versions, words, traceback; no token, no signed address.

Knows nothing of what went wrong, only what must not be in a file that a person sends away.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from zenflow import __version__
from zenflow.host.writing import new_file
from zenflow.log_context import without_secrets

_BEARER = re.compile(r"(?i)\b(bearer|token|authorization)(\s*[:=]\s*|\s+)(?:bearer\s+)?[^\s'\",)]+")
_ADDRESS = re.compile(r"(https?://[^\s'\"?]+)\?[^\s'\"]+")
_DATA = re.compile(r"data:[\w/+.-]*(?:;[\w=.-]+)*,[^\s'\"]+")
_SECRET_VARIABLES = ("ZENFLOW_TOKEN",)


def write(error: BaseException, words: Sequence[str]) -> Path | None:
    """Write the log under the state folder, else among the temporary files; None when neither can be written."""
    text = redacted(_report(error, words))
    for folder in (_state_folder(), Path(tempfile.gettempdir())):
        if folder is None or not folder.is_dir():
            continue
        path = folder / f"zenflow-defect-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(6)}.log"
        try:
            with new_file(path, private=True) as file:
                file.write(text.encode("utf-8", "backslashreplace"))
        except OSError:
            continue
        return path
    return None


def redacted(text: str) -> str:
    """Without tokens, without the query of any address, without bytes in `data:` addresses, without the home folder."""
    for name in _SECRET_VARIABLES:
        secret = os.environ.get(name)
        if secret:
            text = text.replace(secret, "…")
    text = without_secrets(text)
    text = _BEARER.sub(r"\1\2…", text)
    text = _ADDRESS.sub(r"\1?…", text)
    text = _DATA.sub("data:…", text)
    home = os.path.expanduser("~")
    return text.replace(home + os.sep, "~" + os.sep) if len(home) > 1 else text


def _report(error: BaseException, words: Sequence[str]) -> str:
    lines = [
        f"zenflow {__version__}",
        f"Python {platform.python_version()} on {platform.platform()}",
        "zenflow " + " ".join(words),
        "",
        *traceback.format_exception(error),
    ]
    return "\n".join(line.rstrip("\n") for line in lines) + "\n"


def _state_folder() -> Path | None:
    named = os.environ.get("ZENFLOW_STATE")
    try:
        return Path(named) if named else Path.cwd() / ".zenflow"
    except OSError:  # the current folder is gone
        return None
