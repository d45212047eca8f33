"""A sandbox in a process of its own, with faults on request, and zenflow in processes that can be killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

RECIPES = Path(__file__).parents[2] / "recipes"
PATIENCE_S = 300.0  # only so that nothing hangs for ever: a busy machine is slow


ADMIN_TOKEN = "of-the-tests"
ADMIN_HEADERS = {"content-type": "application/json", "authorization": f"Bearer {ADMIN_TOKEN}"}


@dataclass
class Host:
    """One sandbox and one workspace."""

    url: str
    folder: Path
    environment: dict[str, str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def admin(self, path: str, body: Any = None, method: str | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        address = f"{self.url.removesuffix('/mcp')}/admin/{path}"
        request = urllib.request.Request(address, data, ADMIN_HEADERS, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE_S) as answer:
            found = json.load(answer)
        assert isinstance(found, dict)
        return found

    @property
    def state(self) -> dict[str, Any]:
        return self.admin("state")

    def fault(self, **rule: Any) -> None:
        self.admin("faults", [rule])

    def calm(self) -> None:
        self.admin("faults", method="DELETE")

    @property
    def debits(self) -> list[int]:
        return [row["amount"] for row in self.state["transactions"] if row["kind"] == "debit"]

    def start(self, *words: str) -> subprocess.Popen[str]:
        """zenflow in a process of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "zenflow", *words, "--server", self.url, "--json", "-q"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def run(self, *words: str) -> tuple[int, dict[str, Any]]:
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert out.strip(), err
        return process.returncode, json.loads(out)

    def kill_when(self, process: subprocess.Popen[str], condition: Callable[[], bool]) -> bool:
        """kill -9 as soon as a condition holds; false when the process had ended before."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if process.poll() is not None:
                return False
            if condition():
                process.kill()
                process.communicate()
                return True
            time.sleep(0.01)
        raise AssertionError("the moment never came")


@pytest.fixture
def speed() -> float:
    """How many times faster than the service the sandbox works."""
    return 25.0


@pytest.fixture
def host(tmp_path: Path, speed: float) -> Iterator[Host]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZENFLOW_")}
    environment |= {"ZENFLOW_LOST_ANSWER_WAIT": "3", "ZENFLOW_REQUESTS_PER_SECOND": "100"}
    faults = tmp_path / "faults.json"
    faults.write_text("[]")
    serving = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "zenflow",
            "sandbox",
            "--port",
            "0",
            "--speed",
            str(speed),
            "--faults",
            str(faults),
            "--admin-token",
            ADMIN_TOKEN,
            "-q",
        ],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    folder = tmp_path / "work"
    shutil.copytree(RECIPES, folder / "recipes")
    assert serving.stdout is not None
    said, url = "", None
    while url is None:
        line = serving.stdout.readline()
        assert line, f"the sandbox did not start: {said}"
        said += line
        url = re.search(r"http://[\d.]+:\d+/mcp", line)
    found = Host(url.group(0), folder, environment)
    try:
        yield found
    finally:
        for process in found.processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
        serving.kill()
        serving.communicate()
