"""Before the first request: everything that a file asks for and that the operator has not said is asked about, or refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenflow.app.config.setting_specs import KEYS, SANDBOX, ZENCREATOR
from zenflow.app.config.settings import Settings
from zenflow.app.config.trust import KINDS, Claim
from zenflow.clock import SystemClock, as_iso
from zenflow.errors import Refused
from zenflow.ids import digest_of

if TYPE_CHECKING:  # a validation connects without them
    from zenflow.history.events import RunStarted
    from zenflow.history.state import RunState

UNTRUSTED = "ZF680"
MARK = "made_by"  # the option of a run that holds the operator's mark
MOST_SHOWN = 10
_USUAL = {key.name: key.default for key in KEYS}


def ensure_trusted(settings: Settings, further: Iterable[Claim] = ()) -> None:
    """Return when the operator has granted every claim. Raises Refused before anything is sent."""
    missing = settings.trust.missing([*claims_of(settings), *further])
    if missing:
        if settings.confirm is None or not settings.confirm(missing):
            raise _refusal(missing)
        settings.trust.grant(missing, as_iso(SystemClock().now()))


def claims_of(settings: Settings) -> Iterator[Claim]:
    """What `zenflow.toml`, a plan or a journal asks for by way of the settings."""
    place = str(settings.workspace.root)
    server = settings.by_key["service.server"]
    if server.by_file and server.value not in (SANDBOX, ZENCREATOR):
        yield Claim("server", str(server.value), server.origin)
    output = settings.by_key["output.dir"]
    if output.by_file and not is_inside(Path(output.value), settings.workspace.root):
        yield Claim("output", str(output.value), output.origin, place)
    if server.value == SANDBOX:
        return  # play money, play pictures: a policy or a wait changes nothing there
    policy, wait = settings.by_key["policy.nsfw"], settings.by_key["limits.lost_answer_wait"]
    if policy.by_file and policy.value == "allow":
        yield Claim("policy", "nsfw = allow", policy.origin, place)
    if wait.by_file and wait.value < _USUAL["limits.lost_answer_wait"]:
        yield Claim("limit", f"lost_answer_wait = {wait.value}", wait.origin, place)


def claims_of_run(state: RunState, settings: Settings) -> Iterator[Claim]:
    """What a run that the operator did not make asks for: another folder for its files, and files from anywhere."""
    started = state.started
    if started is None or is_own_run(state, settings):
        return
    root = settings.workspace.root
    details = [] if is_inside(Path(started.out_dir), root) else [f"writes to {started.out_dir}"]
    if started.server != SANDBOX:
        outside = [path for path in (started.recipe_folder, *started.named_paths) if not is_inside(Path(path), root)]
        details += listed([f"may upload {path}" for path in outside])
    if details:
        text = run_text(**_facts_of(started))
        yield Claim("run", started.run_id, "the journal, not made by you", digest_of(text), tuple(details))


def listed(lines: Sequence[str]) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - MOST_SHOWN
    return [*lines[:MOST_SHOWN], *([f"and {more} more"] if more > 0 else [])]


def is_own_run(state: RunState, settings: Settings) -> bool:
    """Whether the operator's own zenflow began this run, with these folders and files."""
    started = state.started
    return started is not None and settings.trust.is_ours(run_text(**_facts_of(started)), state.options.get(MARK))


def run_text(
    *,
    run_id: str,
    server: str,
    account_id: str,
    out_dir: str,
    named_paths: Sequence[str],
    recipe_folder: str,
    recipe_digest: str,
) -> str:
    """What the operator's mark on a run covers: where its files come from and go to, and as whom."""
    facts = ["run", run_id, server, account_id, out_dir, sorted(named_paths), recipe_folder, recipe_digest]
    return json.dumps(facts)


def _facts_of(started: RunStarted) -> dict[str, Any]:
    names = ("run_id", "server", "account_id", "out_dir", "named_paths", "recipe_folder", "recipe_digest")
    return {name: getattr(started, name) for name in names}


def is_inside(path: Path, root: Path) -> bool:
    """Whether a path really lies in a folder, every link followed."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def _refusal(missing: list[Claim]) -> Refused:
    words = "; ".join(listed([f"{KINDS[claim.kind]} {claim.value} ({claim.origin})" for claim in missing]))
    document = {
        "claims": [{"kind": c.kind, "value": c.value, "origin": c.origin, "details": list(c.details)} for c in missing]
    }
    hint = f"Check it, then confirm it once: `{_command(missing)}`."
    return Refused(UNTRUSTED, f"untrusted: {words}", hint, document=document)


def _command(missing: list[Claim]) -> str:
    """The command that shows these claims and grants them."""
    named = next((claim for claim in missing if claim.kind in ("plan", "run")), None)
    named = named or (missing[0] if missing[0].kind == "server" and len(missing) == 1 else None)
    return "zenflow trust" if named is None else f"zenflow trust {named.value}"
