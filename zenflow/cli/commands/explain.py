"""`zenflow explain CODE`: what a code means, and what to do."""

from __future__ import annotations

import re

import click

from zenflow.cli.params.options import DisplayOptions, display_options
from zenflow.errors import UsageError


@click.command("explain")
@click.argument("code", required=False)
@display_options
def command(code: str | None, display: DisplayOptions) -> int:
    """Show the page of CODE, such as ZF203; without CODE, all of them by range."""
    from zenflow.cli.views.explain import draw_list, draw_page, list_document, page_document
    from zenflow.cli.views.pages import pages
    from zenflow.suggest import nearest

    console = display.console
    if code is None:
        console.show(draw_list(console.style))
        console.document("done", None, list_document())
        return 0
    digits = re.fullmatch(r"(?:ZF)?(\d{3})", code.strip(), re.IGNORECASE)
    page = pages().get(f"ZF{digits[1]}") if digits else None
    if page is None:
        near = nearest(code.upper(), pages())
        hint = f"Did you mean `{near}`? " if near else ""
        raise UsageError("ZF074", f"There is no code `{code}`.", f"{hint}`zenflow explain` lists them.")
    console.show(draw_page(page, console.style, console.width))
    console.document("done", None, page_document(page))
    return 0
