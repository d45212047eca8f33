"""`zenflow login`: sign in at a server, in the browser or by pasting."""

from __future__ import annotations

import asyncio
import os
import sys
import webbrowser

import click

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options
from zenflow.cli.terminal.console import Console
from zenflow.errors import UsageError


@click.command("login")
@click.option("--server", metavar="WHERE", help="zencreator, or the URL of an MCP server.")
@click.option("--no-browser", is_flag=True, help="Print the address, and take the pasted redirect.")
@display_options
def command(server: str | None, no_browser: bool, display: DisplayOptions) -> int:
    """Sign in with your account. The tokens are kept for you alone and refresh by themselves.

    `login` does not switch servers: which one runs use stands in zenflow.toml, or in `--server`.
    """
    from zenflow.app.queries.login import login
    from zenflow.cli.views.login import draw_signed_in, signed_in_document

    console = display.console
    settings, usual = settings_here(ServerOptions(server, None)), settings_here(ServerOptions()).server

    async def open_browser(address: str) -> None:
        console.error(f"Sign in here, if no browser opens:\n\n{address}\n")
        if _has_screen():
            await asyncio.to_thread(webbrowser.open, address)

    async def print_address(address: str) -> None:
        console.error(
            f"Open this address in a browser, on any machine:\n\n{address}\n\n"
            "When you have signed in, the browser tries to go to an address that begins with http://127.0.0.1\n"
            "and fails. Copy that whole address and paste it here."
        )

    async def pasted() -> str:
        return await asyncio.to_thread(_read_line, console)

    found = asyncio.run(
        login(settings, usual, print_address if no_browser else open_browser, pasted if no_browser else None)
    )
    console.show(draw_signed_in(found, console.style))
    console.document("done", None, signed_in_document(found))
    return 0


def _has_screen() -> bool:
    """On Linux a browser of the terminal would take over this one: only a real screen counts."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER"))


def _read_line(console: Console) -> str:
    console.ask("redirect: ")
    line = sys.stdin.readline()
    if not line.strip():
        raise UsageError("ZF072", "Nothing was pasted.", "Start again: `zenflow login --no-browser`.")
    return line
