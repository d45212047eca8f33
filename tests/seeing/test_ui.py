"""`zenflow ui`: who may talk to it, what a click may cost, and each page in a real browser."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.seeing.test_report import HOSTILE, LOOKS

CHOOSE = """
zenflow: 1
name: choose
inputs: {what: {type: string, default: a red lamp, description: What to draw.}}
budget: 30
steps:
  draw: {uses: by_prompt, with: {positive_prompt: "${{ inputs.what }}", model: SEEDREAM_5, batch_size: 3}}
  best: {uses: pick, with: {asset_ids: "${{ steps.draw.asset_ids }}", question: Which lamp}}
  big: {uses: upscaler, with: {image_asset_id: "${{ steps.best.asset_id }}", output_format: png}}
  save: {uses: download, with: {asset_ids: "${{ steps.big.asset_ids }}", name: best}}
"""


@dataclass
class Server:
    """A running `zenflow ui`. `url` holds the token of this start."""

    url: str
    process: subprocess.Popen[str]

    @property
    def base(self) -> str:
        return self.url.split("/?")[0]

    @property
    def port(self) -> int:
        return int(self.base.rsplit(":", 1)[1])

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            if method == "POST":
                headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
                headers.setdefault("Origin", self.base)
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return (
                answer.status,
                {k.lower(): v for k, v in answer.getheaders()},
                answer.read().decode("utf-8", "replace"),
            )
        finally:
            connection.close()

    def sign_in(self) -> dict[str, str]:
        """Return the headers of a browser that opened the address."""
        _, headers, _ = self.ask("GET", self.url.removeprefix(self.base))
        return {"Cookie": headers["set-cookie"].split(";")[0]}

    def form_token(self, cookie: dict[str, str], path: str) -> str:
        _, _, page = self.ask("GET", path, **cookie)
        found = re.search(r'name="form_token" value="([^"]+)"', page)
        assert found, page
        return found[1]


@pytest.fixture
def ui(here: Path) -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, "-m", "zenflow", "ui", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=here,
        env=os.environ,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Open http://127.0.0.1:"), line
    yield Server(line.split()[1], process)
    process.send_signal(signal.SIGINT)
    process.wait(60)
    process.stdout.close()


@pytest.mark.slow
def test_only_the_operators_browser_gets_in(run: Any, ui: Server) -> None:
    run(LOOKS)
    assert ui.ask("GET", "/")[0] == 403
    assert ui.ask("GET", "/?token=wrong")[0] == 403
    cookie = ui.sign_in()
    status, headers, page = ui.ask("GET", "/", **cookie)
    assert status == 200 and "looks" in page
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    assert ui.ask("GET", "/", Host="evil.example", **cookie)[0] == 421
    assert ui.ask("GET", "/", Origin="http://evil.example", **cookie)[0] == 403
    assert ui.ask("PUT", "/", **cookie)[0] == 405
    assert "httponly" in ui.ask("GET", ui.url.removeprefix(ui.base))[1]["set-cookie"].lower()


@pytest.mark.slow
def test_changes_need_post_token_and_origin(run: Any, zenflow: Any, ui: Server) -> None:
    run_id = run(LOOKS)["run_id"]
    cookie = ui.sign_in()
    token = ui.form_token(cookie, "/plan/r.yaml")
    for path in ("/start", f"/runs/{run_id}/stop", f"/runs/{run_id}/fetch", f"/runs/{run_id}/resume"):
        assert ui.ask("GET", path, **cookie)[0] == 405, path
        assert ui.ask("POST", path, "form_token=wrong", **cookie)[0] == 403
        body = urlencode({"form_token": token})
        assert ui.ask("POST", path, body, Origin="null", **cookie)[0] == 403
        assert ui.ask("POST", path, body)[0] == 403  # no cookie


@pytest.mark.slow
def test_a_click_pays_only_what_was_shown(here: Path, zenflow: Any, ui: Server) -> None:
    (here / "r.yaml").write_text(LOOKS)
    cookie = ui.sign_in()
    token = ui.form_token(cookie, "/plan/r.yaml")
    looks = {"form_token": token, "in:looks": "red lamp\nblue lamp\ngreen lamp"}
    status, _, page = ui.ask("POST", "/plan/r.yaml", urlencode(looks), **cookie)
    assert status == 200, page
    plan_id = re.search(r'name="plan_id" value="([^"]+)"', page)
    worst = re.search(r'name="worst" value="([^"]+)"', page)
    assert plan_id and worst and f"Run: spend at most {worst[1]} credits" in page
    assert zenflow("runs", "--json").document["total"] == 0  # nothing began by looking
    lower = urlencode({"form_token": token, "plan_id": plan_id[1], "worst": "1"})
    status, _, page = ui.ask("POST", "/start", lower, **cookie)
    assert status == 409 and "ZF685" in page
    assert zenflow("runs", "--json").document["total"] == 0


@pytest.mark.slow
def test_files_are_served_by_journal_number_only(run: Any, here: Path, ui: Server) -> None:
    document = run(LOOKS)
    cookie, run_id = ui.sign_in(), document["run_id"]
    status, headers, _ = ui.ask("GET", f"/runs/{run_id}/files/0", **cookie)
    assert status == 200 and headers["content-type"] == "image/png"
    status, headers, _ = ui.ask("GET", f"/runs/{run_id}/thumbs/0", **cookie)
    assert status == 200 and headers["content-type"] == "image/webp"
    assert ui.ask("GET", f"/runs/{run_id}/files/99", **cookie)[0] == 422
    assert ui.ask("GET", f"/runs/{run_id}/files/../../r.yaml", **cookie)[0] in (404, 422)
    assert ui.ask("GET", "/static/../app.py", **cookie)[0] == 404
    target = Path(document["files"][0]["path"])
    target.unlink()
    target.symlink_to("/etc/passwd")
    assert ui.ask("GET", f"/runs/{run_id}/files/0", **cookie)[0] == 422


@pytest.mark.slow
def test_bad_inputs_come_back_with_their_problems(here: Path, ui: Server) -> None:
    (here / "r.yaml").write_text(CHOOSE.replace("type: string", "type: integer").replace("a red lamp", "3"))
    cookie = ui.sign_in()
    body = urlencode({"form_token": ui.form_token(cookie, "/plan/r.yaml"), "in:what": "seven", "budget": "lots"})
    status, _, page = ui.ask("POST", "/plan/r.yaml", body, **cookie)
    assert status == 422 and "ZF" in page and 'value="seven"' in page


@pytest.mark.slow
def test_hostile_text_is_data_on_every_page(run: Any, ui: Server) -> None:
    recipe = LOOKS.replace("[red lamp, blue lamp]", f'["{HOSTILE}", blue lamp]')
    run_id = run(recipe.replace("name: looks", f'name: looks\ndescription: "{HOSTILE}"'))["run_id"]
    cookie = ui.sign_in()
    for path in ("/", f"/runs/{run_id}", "/plan", "/plan/r.yaml", "/ledger"):
        _, _, page = ui.ask("GET", path, **cookie)
        assert "<script>document" not in page and "<img src=x" not in page, path
        assert "\u202e" not in page and "\x1b" not in page, path


def _pages(server: Server, run_id: str) -> list[str]:
    return [server.base + path for path in ("/", f"/runs/{run_id}", "/plan", "/plan/r.yaml", "/ledger?by=model")]


@pytest.mark.slow
def test_pick_resume_and_redo_with_the_keyboard_alone(
    run: Any, zenflow: Any, ui: Server, in_browser: Callable[[Any], Any]
) -> None:
    run_id = run(CHOOSE)["run_id"]

    def story(browser: Any) -> list[str]:
        page = browser.new_context().new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(ui.url)
        page.get_by_role("link", name=run_id).focus()
        page.keyboard.press("Enter")
        page.get_by_role("link", name=re.compile(r"^Pick")).focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("fieldset")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        page.get_by_role("button", name=re.compile("Continue: spend at most")).focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".badge.s-done", timeout=120_000)
        page.locator("summary").last.focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name=re.compile("Make this one again")).last.focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name=re.compile("Run: spend at most 2 credits")).focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".badge.s-done, .badge.s-stopped", timeout=120_000)
        page.context.close()
        return errors

    assert in_browser(story) == []
    runs = zenflow("runs", "--json").document["runs"]
    assert len(runs) == 2 and runs[0]["credits"] == 2


@pytest.mark.slow
def test_pages_fit_and_have_no_serious_axe_violation(run: Any, ui: Server, in_browser: Callable[[Any], Any]) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text()
    run_id = run(LOOKS)["run_id"]

    def look(browser: Any) -> list[str]:
        found: list[str] = []
        for width in (1280, 400):
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
                )
                page = context.new_page()
                page.goto(ui.url)
                for address in _pages(ui, run_id):
                    page.goto(address)
                    if page.evaluate("document.documentElement.scrollWidth") > width:
                        found.append(f"{address} is wider than {width}")
                    page.evaluate(script)
                    seen = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
                    found += [
                        f"{address} {width} {scheme}: {one['id']} {one['nodes'][0]['html'][:90]}"
                        for one in seen["violations"]
                        if one["impact"] in ("serious", "critical")
                    ]
                context.close()
        return found

    assert in_browser(look) == []


@pytest.mark.slow
def test_a_killed_run_is_seen_live_and_resumed_from_the_page(
    here: Path, ui: Server, in_browser: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "r.yaml").write_text(LOOKS)
    monkeypatch.setenv("ZENFLOW_SPEED", "2")

    def story(browser: Any) -> str:
        page = browser.new_context().new_page()
        page.goto(ui.url)
        worker = subprocess.Popen(
            [sys.executable, "-m", "zenflow", "run", "r.yaml", "--yes", "--quiet"],
            cwd=here,
            env=os.environ,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        page.wait_for_selector("td.s-running", timeout=120_000)  # without a reload: the page follows the journal
        page.click("tbody tr:first-child a")
        page.wait_for_selector(".badge.s-running")
        page.wait_for_selector(".node.s-running", timeout=120_000)
        worker.kill()
        worker.wait()
        page.wait_for_timeout(600)
        page.reload()
        page.wait_for_selector(".badge.s-interrupted", timeout=60_000)
        page.get_by_role("button", name=re.compile("Resume: show the price")).click()
        page.get_by_role("button", name=re.compile("Resume: spend at most")).click()
        page.wait_for_selector(".badge.s-done", timeout=240_000)
        state = str(page.locator(".badge").first.inner_text())
        page.context.close()
        return state

    assert in_browser(story) == "done"


def test_no_free_port_is_a_clear_error(zenflow: Any) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = zenflow("ui", "--port", str(taken.getsockname()[1]), "--json")
    assert (answer.status, answer.code) == (2, "ZF069")
