"""The page of a code as people read it on a terminal, and as a document."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.views.pages import ProblemPage, pages


def draw_page(page: ProblemPage, style: Style, width: int) -> str:
    """Title, prose wrapped, examples as they stand."""
    lines = [style.strong(f"{page.code} {page.title}")]
    in_example = False
    for line in page.text.splitlines():
        if line.startswith("```"):
            in_example = not in_example
        elif in_example:
            lines.append(f"    {line}".rstrip())
        else:
            lines += wrap(line, width, "", "") if line else [""]
    return "\n".join([lines[0], "", *lines[1:]])


def draw_list(style: Style) -> str:
    """Every code with its title, range by range."""
    blocks = []
    for name, group in groupby(pages().values(), lambda page: page.range):
        blocks.append("\n".join([style.strong(name), *(f"  {page.code}  {page.title}" for page in group)]))
    return "\n\n".join(blocks)


def page_document(page: ProblemPage) -> dict[str, Any]:
    return {"code": page.code, "title": page.title, "text": page.text, "range": page.range}


def list_document() -> dict[str, Any]:
    return {"codes": [{"code": page.code, "title": page.title} for page in pages().values()]}
