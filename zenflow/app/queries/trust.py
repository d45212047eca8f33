"""What the operator trusts: list it, add to it, forget it. Nothing is sent."""

from __future__ import annotations

from pathlib import Path

from zenflow.app.config.setting_specs import SANDBOX, ZENCREATOR
from zenflow.app.config.settings import Settings
from zenflow.app.config.trust import Claim, TrustGrant
from zenflow.app.connection import wiring
from zenflow.app.connection.trust import claims_of, claims_of_run
from zenflow.app.queries import runs
from zenflow.clock import as_iso
from zenflow.engine.reporting.replay import look_at
from zenflow.errors import UsageError

NOTHING_THERE = "ZF682"


def claims_for(word: str | None, settings: Settings) -> list[Claim]:
    """The claims that a word names: a server, a run of this workspace; without one, those of `zenflow.toml`.

    Raises UsageError for a word that is none of these.
    """
    if word is None:
        return settings.trust.missing(claims_of(settings))
    if word.startswith(("http://", "https://")):
        wiring.url_of(word)
        return [Claim("server", word, "you name it")]
    if word in (SANDBOX, ZENCREATOR):
        return []
    journal = wiring.open_journal(settings, wiring.clock(), read_only=True)
    row = runs.find(journal, word)
    state = look_at(journal.events(row.run_id)).state
    of_run = list(claims_of_run(state, settings))
    if state.started is not None and state.started.server not in (SANDBOX, ZENCREATOR):
        of_run.insert(0, Claim("server", state.started.server, f"run {row.run_id}"))
    return settings.trust.missing(of_run)


def grant(claims: list[Claim], settings: Settings) -> None:
    """Remember the claims. Raises UsageError."""
    settings.trust.grant(claims, as_iso(wiring.clock().now()))


def forget(word: str, settings: Settings) -> list[TrustGrant]:
    """Forget what was granted to a server, folder, run or plan. Raises UsageError where nothing was."""
    gone = settings.trust.remove(word) or settings.trust.remove(str(Path(word).absolute()))
    if not gone:
        raise UsageError(NOTHING_THERE, f"unknown entry: {word}", "List what you trust: `zenflow trust --list`.")
    return gone
