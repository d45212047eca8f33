"""Ask whether the claims of a file are trusted; the answer is remembered by who asks."""

from __future__ import annotations

from collections.abc import Sequence

from zenflow.app.config.trust import KINDS, Claim
from zenflow.cli.terminal.console import Console
from zenflow.cli.terminal.questions import answered_yes


def ask_to_trust(claims: Sequence[Claim]) -> bool:
    """Show the claims and ask; False without a terminal."""
    console = Console()
    if not console.can_ask:
        return False
    console.error("These come from a file, not from you:\n" + draw_claims(claims))
    if any(claim.kind == "server" for claim in claims):
        console.error("Your token, prompts and files go to this server, and it takes your credits.")
    return answered_yes(console, "Trust this from now on? [y/N] ")


def draw_claims(claims: Sequence[Claim]) -> str:
    """One line for each claim, its details below it."""
    lines = []
    for claim in claims:
        lines.append(f"  {KINDS[claim.kind]}: {claim.value}  ({claim.origin})")
        lines += [f"    {detail}" for detail in claim.details]
    return "\n".join(lines)
