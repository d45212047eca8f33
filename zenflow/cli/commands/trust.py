"""`zenflow trust`: confirm what a file asks for, see it, and take it back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zenflow.cli.params.command_context import current_folder, settings_here
from zenflow.cli.params.options import DisplayOptions, ServerOptions, display_options, server_options
from zenflow.errors import UsageError

if TYPE_CHECKING:
    from zenflow.app.config.settings import Settings
    from zenflow.app.config.trust import Claim, TrustGrant


@click.command("trust")
@click.argument("word", required=False, metavar="[SERVER|PLAN|RUN]")
@click.option("--list", "listing", is_flag=True, help="List what you trust.")
@click.option("--remove", metavar="WORD", help="Forget a server, folder, plan or run.")
@click.option("--yes", "-y", is_flag=True, help="Confirm without a question.")
@server_options
@display_options
def command(
    word: str | None, listing: bool, remove: str | None, yes: bool, where: ServerOptions, display: DisplayOptions
) -> int:
    """Confirm the server, folders and policy that a received file asks for.

    Without a word: those of this workspace's `zenflow.toml`. Nothing is sent.
    """
    from zenflow.app.queries.trust import forget

    if sum((word is not None, listing, remove is not None)) > 1:
        raise UsageError("ZF003", "unexpected words: name one of WORD, --list and --remove")
    settings = settings_here(where)
    if remove is not None:
        return _show(forget(remove, settings), "Forgotten", display)
    if listing:
        return _show(settings.trust.grants(), "Trusted", display)
    return _confirm(word, settings, yes, display)


def _confirm(word: str | None, settings: Settings, yes: bool, display: DisplayOptions) -> int:
    from zenflow.app.queries.trust import grant
    from zenflow.cli.params.trust_question import ask_to_trust, draw_claims
    from zenflow.errors import Refused

    claims = _claims(word, settings)
    if not claims:
        display.console.show("Nothing to confirm.")
        display.console.document("done", None, {"granted": []})
        return 0
    if yes:
        display.console.info(draw_claims(claims))
    elif not ask_to_trust(claims):
        raise Refused("ZF680", "not confirmed", "Say `--yes` to confirm without a terminal.")
    grant(claims, settings)
    display.console.show(f"Trusted from now on: {len(claims)}.")
    rows = [{"kind": claim.kind, "value": claim.value, "place": claim.place} for claim in claims]
    display.console.document("done", None, {"granted": rows})
    return 0


def _claims(word: str | None, settings: Settings) -> list[Claim]:
    from zenflow.app.queries.trust import claims_for

    path = None if word is None else current_folder() / word
    if path is None or path.suffix != ".json" or not path.is_file():
        return claims_for(word, settings)
    return _claims_of_plan(path, settings)


def _claims_of_plan(path: Path, settings: Settings) -> list[Claim]:
    from zenflow.app.running.run_saved import claims_of_file

    return claims_of_file(path, settings)


def _show(grants: Sequence[TrustGrant], title: str, display: DisplayOptions) -> int:
    from zenflow.app.config.trust import KINDS

    kinds: dict[str, str] = dict(KINDS.items())
    lines = [
        f"  {kinds.get(one.kind, one.kind)}: {one.value}" + (f"  in {one.place}" if one.place else "") for one in grants
    ]
    display.console.show("\n".join([f"{title}: {len(grants)}", *lines]))
    rows: list[dict[str, Any]] = [
        {"kind": one.kind, "value": one.value, "place": one.place, "at": one.at} for one in grants
    ]
    display.console.document("done", None, {title.lower(): rows})
    return 0
