"""The first line of every answer about money: where it is spent. Knows names of servers, not how to reach them."""

from __future__ import annotations

from pathlib import Path


def where_line(server: str) -> str:
    """`sandbox · pictures are drawn, no credits`, and its brothers."""
    if server == "sandbox":
        return "sandbox · pictures are drawn, no credits"
    if server == "zencreator":
        return "zencreator · credits are real"
    return f"{server} · credits are that server's"


def near(path: Path | str) -> str:
    """A path as a person would type it here: relative when it lies below the current folder."""
    try:
        return str(Path(path).relative_to(Path.cwd())) or "."
    except (ValueError, OSError):
        return str(path)
