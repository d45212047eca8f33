"""What the tests of several folders share: one command line run in this process, and examples that are always the same.

Property tests try the same examples every time, and none fails because the machine was busy. To look for new ones:
`pytest --hypothesis-profile=default tests/property`.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent

settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("steady")
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="zenflow-test-config-")  # never the operator's own

SLOW = ("crash", "simulation", "wire")  # folders of whole servers, killed processes and thousands of runs
QUICK = "not slow"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave slow folders unread for `-m "not slow"`: to import them takes a tenth of the half minute."""
    if config.getoption("markexpr") == QUICK and collection_path.is_dir():
        return True if _is_slow(collection_path) else None
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of a slow folder."""
    for item in items:
        if _is_slow(item.path):
            item.add_marker(pytest.mark.slow)


def _is_slow(path: Path) -> bool:
    parts = path.relative_to(TESTS).parts if path.is_relative_to(TESTS) else ()
    return bool(parts) and parts[0] in SLOW


@dataclass(frozen=True)
class Answer:
    """What one command line said."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def code(self) -> str:
        return str((self.document["error"] or {}).get("code"))

    @property
    def message(self) -> str:
        return str((self.document["error"] or {}).get("message"))

    @property
    def hint(self) -> str:
        return str((self.document["error"] or {}).get("hint"))


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with nothing in it, and nothing of the person's own environment."""
    for name in [name for name in os.environ if name.startswith("ZENFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("NO_COLOR", raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def zenflow(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """One command line after the other, `here`: each folder of tests says what is there."""
    from zenflow.cli.main import run

    def call(*words: str) -> Answer:
        capsys.readouterr()
        status = run(list(words))
        said = capsys.readouterr()
        return Answer(status, said.out, said.err)

    return call
