"""What was measured on each server (`doctor --probe`), and whether a person was told what is assumed of it.

Kept in the state folder, by server. Nothing depends on it but words and the size of a batch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zenflow.app.config.setting_specs import SANDBOX, ZENCREATOR
from zenflow.host.writing import make_private_folder

FILE = "server-findings.json"
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Finding:
    """One assumption as it was measured. `holds` None: it could not be found out."""

    assumption: str
    holds: bool | None
    said: str
    at: str


@dataclass(frozen=True, slots=True)
class ServerFindings:
    findings: Mapping[str, Finding]
    told_at: str | None = None  # when its assumptions were shown to a person

    def holds(self, name: str) -> bool | None:
        found = self.findings.get(name)
        return None if found is None else found.holds


def findings_of(state_dir: Path, server: str) -> ServerFindings:
    """What is known of a server; nothing where the file is not there or is not ours."""
    row = _read(state_dir).get(server)
    if not isinstance(row, Mapping):
        return ServerFindings({})
    findings = {}
    for one in row.get("findings") or ():
        try:
            finding = Finding(**one)
        except TypeError:
            continue
        findings[finding.assumption] = finding
    told_at = row.get("told_at")
    return ServerFindings(findings, told_at if isinstance(told_at, str) else None)


def keep_findings(state_dir: Path, server: str, findings: Mapping[str, Finding]) -> Path:
    """Add what was measured; what was not measured this time stays. Raises ArtifactError."""
    known = findings_of(state_dir, server)
    return _write(state_dir, server, ServerFindings({**known.findings, **findings}, known.told_at))


def mark_told(state_dir: Path, server: str, at: str) -> None:
    """A person has seen what is assumed of this server. Raises ArtifactError."""
    _write(state_dir, server, ServerFindings(findings_of(state_dir, server).findings, at))


def is_live(server: str) -> bool:
    """Whether credits there may be a person's money: not the sandbox, nor a server on this machine."""
    if server in (SANDBOX, ZENCREATOR):
        return server == ZENCREATOR
    host = urlsplit(server).hostname or ""
    return host not in _LOCAL_HOSTS and not host.endswith(".localhost")


def must_be_told(state_dir: Path, server: str) -> bool:
    """Whether the assumptions are to be shown before the first paid run there."""
    known = findings_of(state_dir, server)
    return is_live(server) and not known.findings and known.told_at is None


def _write(state_dir: Path, server: str, known: ServerFindings) -> Path:
    document = _read(state_dir)
    document[server] = {"told_at": known.told_at, "findings": [asdict(one) for one in known.findings.values()]}
    make_private_folder(state_dir)
    from zenflow.artifacts.manifest import write_json

    return write_json(state_dir, FILE, document)


def _read(state_dir: Path) -> dict[str, Any]:
    try:
        found = json.loads((state_dir / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
