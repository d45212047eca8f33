"""The first lines of every answer about money: where it is spent, by which recipe. Knows names of servers, not how to reach
them."""

from __future__ import annotations

from pathlib import Path


def where_line(server: str) -> str:
    """`sandbox · pictures are drawn, no credits`, and its brothers."""
    if server == "sandbox":
        return "sandbox · pictures are drawn, no credits"
    if server == "zencreator":
        return "zencreator · credits are real"
    return f"{server} · credits are that server's"


def titled(name: str, version: str) -> str:
    """`photoshoot 1.0.0`; a recipe need not have a version."""
    return f"{name} {version}" if version else name


def relative_path(path: Path | str) -> str:
    """A path as a person would type it here: relative when it lies below the current folder."""
    try:
        return str(Path(path).relative_to(Path.cwd())) or "."
    except (ValueError, OSError):
        return str(path)
