"""Pictures in terminals that can show them: kitty's and iTerm2's protocols. Elsewhere nothing is written."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Mapping
from pathlib import Path

MOST_BYTES = 8_000_000
_CHUNK = 4096


def picture_escape(file: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Return the escape sequence that shows a PNG file; empty where the terminal has no such protocol."""
    kind = _protocol(environment)
    if kind is None or not sys.stdout.isatty() or file.stat().st_size > MOST_BYTES:
        return ""
    body = base64.b64encode(file.read_bytes()).decode()
    return "\n" + (_kitty(body) if kind == "kitty" else _iterm(body))


def _protocol(environment: Mapping[str, str]) -> str | None:
    if environment.get("TMUX") or environment.get("TERM") == "dumb":
        return None
    if environment.get("KITTY_WINDOW_ID") or environment.get("TERM_PROGRAM") == "ghostty":
        return "kitty"
    return "iterm" if environment.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm") else None


def _kitty(body: str) -> str:
    chunks = [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]
    parts = []
    for number, chunk in enumerate(chunks):
        first = "a=T,f=100," if number == 0 else ""
        parts.append(f"\x1b_G{first}m={int(number < len(chunks) - 1)};{chunk}\x1b\\")
    return "".join(parts)


def _iterm(body: str) -> str:
    return f"\x1b]1337;File=inline=1;preserveAspectRatio=1:{body}\a"
