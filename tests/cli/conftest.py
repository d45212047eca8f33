"""One command line, run in this process, in an empty folder, with nothing of the person's own environment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from zenflow.cli.main import run


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


Zenflow = Callable[..., Answer]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import os

    for name in [name for name in os.environ if name.startswith("ZENFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def zenflow(here: Path, capsys: pytest.CaptureFixture[str]) -> Zenflow:
    def call(*words: str) -> Answer:
        capsys.readouterr()
        status = run(list(words))
        said = capsys.readouterr()
        return Answer(status, said.out, said.err)

    return call
