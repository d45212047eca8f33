"""Signed in, signed out. Never a token."""

from __future__ import annotations

from typing import Any

from zenflow.app.queries.login import SignedIn, SignedOut
from zenflow.cli.terminal.style import Style
from zenflow.credits import as_number, in_words


def draw_signed_in(found: SignedIn, style: Style) -> str:
    who = found.account.email or found.account.account_id
    lines = [style.good(f"Signed in at {found.server} as {who}, {in_words(found.account.credits)}.")]
    lines.append(f"The sign-in is kept in {found.kept_in}.")
    if not found.used_for_runs:
        lines.append(
            f"Runs here still go elsewhere: `--server {found.server}`, or `server` in zenflow.toml, changes it."
        )
    return "\n".join(lines)


def signed_in_document(found: SignedIn) -> dict[str, Any]:
    return {
        "server": found.server,
        "url": found.url,
        "account_id": found.account.account_id,
        "email": found.account.email,
        "credits": as_number(found.account.credits),
        "kept_in": found.kept_in,
        "used_for_runs": found.used_for_runs,
    }


def draw_signed_out(found: SignedOut) -> str:
    if not found.was_signed_in:
        return f"Nobody is signed in at {found.server}."
    there = "it has ended there too" if found.revoked else "the server could not be told; its token ends by itself"
    return f"Signed out of {found.server}: {there}."


def signed_out_document(found: SignedOut) -> dict[str, Any]:
    return {
        "server": found.server,
        "url": found.url,
        "was_signed_in": found.was_signed_in,
        "revoked": found.revoked,
    }
