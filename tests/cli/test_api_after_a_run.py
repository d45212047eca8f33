"""What a script does with a run that began before: show, resume, fetch."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_old_workspace import DONE, KILLED, workspace  # noqa: F401 - a fixture
from zenflow import api
from zenflow.errors import Refused


def test_shows_resumes_and_fetches(zenflow: Any, workspace: Path) -> None:  # noqa: F811
    for run_id in (DONE, KILLED):
        assert zenflow("trust", run_id, "--yes").status == 0
    assert asyncio.run(api.show(DONE, current=workspace)).report.status == "done"
    with pytest.raises(Refused, match="Not agreed"):
        asyncio.run(api.resume(KILLED, agree=lambda rest: False, take_over=True, current=workspace))
    report = asyncio.run(api.resume(KILLED, agree=lambda rest: True, take_over=True, current=workspace))
    assert (report.status, report.state.totals.spent) == ("done", 2)
    fetched = asyncio.run(api.fetch(DONE, out=workspace / "again", current=workspace))
    assert fetched.is_whole and len(list((workspace / "again").glob("coat-*.png"))) == 3
