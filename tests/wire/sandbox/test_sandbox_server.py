"""The server as a whole: it starts, stops cleanly, keeps its state, and costs little to import and to call."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client

from zenflow.sandbox.server import serve
from zenflow.sandbox.settings import SandboxSettings

pytestmark = pytest.mark.anyio

SERVE = (
    "import sys\n"
    "from pathlib import Path\n"
    "import anyio\n"
    "from zenflow.sandbox.server import serve\n"
    "from zenflow.sandbox.settings import SandboxSettings\n"
    "settings = SandboxSettings(state_dir=Path(sys.argv[1]), speed=100)\n"
    "anyio.run(lambda: serve(settings, on_ready=lambda url: print(url, flush=True)))\n"
)


def started(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", SERVE, str(folder)], stdout=subprocess.PIPE, text=True)


async def test_a_cancelled_server_stops_and_frees_its_port(tmp_path: Path) -> None:
    urls: list[str] = []
    async with anyio.create_task_group() as group:
        ready = anyio.Event()

        async def run() -> None:
            await serve(SandboxSettings(state_dir=tmp_path), on_ready=lambda url: (urls.append(url), ready.set()))

        group.start_soon(run)
        await ready.wait()
        async with Client(urls[0]) as client:
            assert not (await client.call_tool("zencreator_get_me", {})).is_error
        group.cancel_scope.cancel()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/mcp", urls[0])
    async with httpx2.AsyncClient() as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get(urls[0])


@pytest.mark.slow
async def test_a_server_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    answers: list[dict[str, Any]] = []
    for _ in range(2):
        server = started(tmp_path)
        try:
            assert server.stdout is not None
            url = await anyio.to_thread.run_sync(server.stdout.readline)
            async with Client(url.strip()) as client:
                if not answers:
                    arguments = {"tool_name": "run_any_llm", "inputs": [{"prompt": "x"}], "comment": "before"}
                    await client.call_tool("zencreator_create_task", arguments)
                listed = await client.call_tool("zencreator_list_tasks", {"query": "before"})
                profile = await client.call_tool("zencreator_get_me", {})
                answers.append({"task": listed.structured_content["items"][0]["id"], **profile.structured_content})
                os.kill(server.pid, signal.SIGKILL)
        finally:
            server.kill()
            server.wait()
    assert answers[0] == answers[1] and answers[0]["credits"] == 999


def test_settings_are_cheap_to_import() -> None:
    script = "import sys, zenflow.sandbox.settings; print([m for m in ('mcp', 'PIL', 'starlette') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "wrong",
    [{"credits": -1}, {"speed": 0}, {"requests_per_second": 0}, {"url_lifetime_s": -5}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SandboxSettings(**wrong)
