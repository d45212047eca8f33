"""`zenflow login` and `logout` against the sandbox's own sign-in, and runs by way of it."""

from __future__ import annotations

import json
import re
import stat
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


def _files(tmp: Path) -> list[Path]:
    return [path for path in tmp.rglob("*") if path.is_file()]


def _tokens(tmp: Path) -> dict[str, Any]:
    (path,) = (tmp / "config" / "zenflow" / "sign-ins").glob("*.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_login_in_the_browser_and_a_run_by_way_of_it(
    zenflow: Any, tmp_path: Path, serving_sandbox: Any, browser: Any
) -> None:
    with serving_sandbox(oauth=True) as town:
        assert zenflow("account", "--server", town.url, "--json").code == "ZF703"
        said = zenflow("login", "--server", town.url, "--json")
        assert (said.status, said.document["credits"], said.document["email"]) == (0, 1000, "sandbox@example.com")
        assert "Signed in" in browser.pages[0]
        run = zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")
        assert run.status == 0, run.err
        assert sum(town.debits) == -3


def test_keeps_tokens_in_one_private_file(zenflow: Any, tmp_path: Path, serving_sandbox: Any, browser: Any) -> None:
    with serving_sandbox(oauth=True) as town:
        said = [zenflow("login", "--server", town.url), zenflow("login", "--server", town.url, "--json")]
        said.append(zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json"))
        said.append(zenflow("show", "--json"))
        said.append(zenflow("config", "--json"))
    kept = _tokens(tmp_path)
    (file,) = (tmp_path / "config" / "zenflow" / "sign-ins").glob("*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    for secret in (kept["access_token"], kept["refresh_token"]):
        assert not any(secret in one.out + one.err for one in said)
        assert [path for path in _files(tmp_path) if secret.encode() in path.read_bytes()] == [file]


def test_login_says_that_it_does_not_switch_servers(zenflow: Any, serving_sandbox: Any, browser: Any) -> None:
    with serving_sandbox(oauth=True) as town:
        assert f"`--server {town.url}`" in zenflow("login", "--server", town.url).out


def test_login_without_a_browser_takes_the_pasted_redirect(
    zenflow: Any,
    serving_sandbox: Any,
    browser: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: Any) -> None:
            return None

    def pasted() -> str:
        address = re.search(r"^http\S+/oauth/authorize\S+$", capsys.readouterr().err, re.M)
        assert address is not None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)
        try:
            opener.open(address[0], timeout=300)
        except urllib.error.HTTPError as redirect:
            return str(redirect.headers["location"]) + "\n"
        raise AssertionError("the sign-in did not redirect")

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(readline=pasted, isatty=lambda: False))
    with serving_sandbox(oauth=True) as town:
        assert zenflow("login", "--no-browser", "--server", town.url, "--json").status == 0
        assert zenflow("account", "--server", town.url, "--json").status == 0
    assert browser.pages == []


def test_a_redirect_of_another_sign_in_is_not_taken(
    zenflow: Any, serving_sandbox: Any, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "http://127.0.0.1:1/callback?code=abc&state=another\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(readline=lambda: line, isatty=lambda: False))
    with serving_sandbox(oauth=True) as town:
        said = zenflow("login", "--no-browser", "--server", town.url, "--json")
    assert (said.status, said.code) == (4, "ZF703") and "another sign-in" in said.message


def test_a_sign_in_that_is_declined_says_so(zenflow: Any, serving_sandbox: Any, browser: Any) -> None:
    with serving_sandbox(oauth=True) as town:
        town.fault(kind="sign_in_denied", message="the owner said no")
        said = zenflow("login", "--server", town.url, "--json")
    assert (said.status, said.code) == (4, "ZF703") and "the owner said no" in said.message


def test_logout_forgets_the_sign_in_and_ends_it_at_the_server(
    zenflow: Any, tmp_path: Path, serving_sandbox: Any, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving_sandbox(oauth=True) as town:
        zenflow("login", "--server", town.url)
        token = _tokens(tmp_path)["access_token"]
        said = zenflow("logout", "--server", town.url, "--json").document
        assert (said["was_signed_in"], said["revoked"]) == (True, True)
        assert list((tmp_path / "config" / "zenflow" / "sign-ins").glob("*")) == []
        monkeypatch.setenv("ZENFLOW_TOKEN", token)
        assert zenflow("account", "--server", town.url, "--json").code == "ZF703"
        again = zenflow("logout", "--server", town.url, "--json").document
        assert again["was_signed_in"] is False


def test_one_entry_per_server(zenflow: Any, tmp_path: Path, serving_sandbox: Any, browser: Any) -> None:
    with serving_sandbox(oauth=True) as one, serving_sandbox(oauth=True) as two:
        zenflow("login", "--server", one.url)
        zenflow("login", "--server", two.url)
        assert len(list((tmp_path / "config" / "zenflow" / "sign-ins").glob("*"))) == 2
        zenflow("logout", "--server", one.url)
        assert zenflow("account", "--server", two.url, "--json").status == 0
        assert zenflow("account", "--server", one.url, "--json").code == "ZF703"


def test_a_token_of_the_environment_wins_over_a_sign_in(
    zenflow: Any, serving_sandbox: Any, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving_sandbox(oauth=True) as town:
        zenflow("login", "--server", town.url)
        monkeypatch.setenv("ZENFLOW_TOKEN", "not-a-good-one")
        assert zenflow("account", "--server", town.url, "--json").code == "ZF703"


def test_a_working_keyring_is_used_and_no_file_is_written(
    zenflow: Any, tmp_path: Path, serving_sandbox: Any, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    kept: dict[tuple[str, str], str] = {}
    ring: Any = ModuleType("keyring")
    ring.get_keyring = lambda: SimpleNamespace(priority=5)
    ring.get_password = lambda service, name: kept.get((service, name))
    ring.set_password = lambda service, name, text: kept.__setitem__((service, name), text)
    ring.delete_password = lambda service, name: kept.pop((service, name))
    monkeypatch.setitem(sys.modules, "keyring", ring)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("BROWSER", "ours")
    monkeypatch.setattr("webbrowser.open", browser.open)
    monkeypatch.chdir(tmp_path / "here")
    with serving_sandbox(oauth=True) as town:
        assert zenflow("login", "--server", town.url, "--json").status == 0
        assert [name for _, name in kept] == [town.url]
        assert not (tmp_path / "config" / "zenflow" / "sign-ins").exists()
        assert zenflow("account", "--server", town.url, "--json").status == 0
        zenflow("logout", "--server", town.url)
        assert kept == {}


def test_login_to_a_server_without_sign_in_says_so(zenflow: Any, town: Any, browser: Any) -> None:
    said = zenflow("login", "--server", town.url, "--json")
    assert (said.status, said.code) == (4, "ZF703") and "nobody who signs people in" in said.message


def test_the_embedded_sandbox_needs_no_sign_in(zenflow: Any, browser: Any) -> None:
    assert zenflow("login", "--server", "sandbox", "--json").code == "ZF071"


# --------------------------------------------------------------------------------------------------- tokens that end


def test_refreshes_short_lived_tokens_unnoticed(
    zenflow: Any, tmp_path: Path, serving_sandbox: Any, browser: Any, real_clock: None
) -> None:
    """A run of some seven seconds by way of tokens of three."""
    with serving_sandbox(oauth=True, token_lifetime_s=3.0, speed=12) as town:
        zenflow("login", "--server", town.url)
        first = _tokens(tmp_path)["access_token"]
        said = zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")
        assert said.status == 0, said.err
        assert _tokens(tmp_path)["access_token"] != first
        assert sorted(town.debits) == [-2, -1] and town.posts == 2


def test_stops_on_a_revoked_sign_in_and_resumes_with_another(
    zenflow: Any, serving_sandbox: Any, browser: Any, real_clock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving_sandbox(oauth=True, speed=40) as town:
        zenflow("login", "--server", town.url)
        from zenflow.providers.mcp import provider as client

        real = client.McpProvider.submit

        async def then_taken_back(self: Any, submission: Any) -> Any:
            import asyncio

            answer = await real(self, submission)
            await asyncio.to_thread(town.admin, "revoke", {})
            return answer

        monkeypatch.setattr(client.McpProvider, "submit", then_taken_back)
        said = zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")
        assert (said.status, said.document["status"], said.code) == (4, "stopped", "ZF703")
        assert "zenflow login" in said.hint
        monkeypatch.setattr(client.McpProvider, "submit", real)
        zenflow("login", "--server", town.url)
        again = zenflow("resume", "--server", town.url, "--yes", "--json")
        assert (again.status, again.document["status"]) == (0, "done"), again.err
        assert sorted(town.debits) == [-2, -1]


@pytest.mark.parametrize("tool", ["create_task", "get_task", "upload_asset"])
def test_replaces_an_early_refused_token_and_resends_nothing(
    zenflow: Any, here: Path, serving_sandbox: Any, browser: Any, real_clock: None, tool: str
) -> None:
    with serving_sandbox(oauth=True) as town:
        zenflow("login", "--server", town.url)
        town.fault(kind="http_status", tool=tool, status=401, nth=1)
        from PIL import Image

        Image.new("RGB", (64, 64), "teal").save(here / "face.jpg")
        (here / "up.yaml").write_text(
            "zenflow: 1\nname: up\nbudget: 5\nsteps:\n  up:\n    uses: upload\n    with: {source: face.jpg}\n"
            "  larger:\n    uses: upscaler\n    with:\n      image_asset_id: ${{ steps.up.asset_id }}\n"
            "      output_format: png\n"
        )
        said = zenflow("run", "up.yaml", "--server", town.url, "--yes", "--json")
        assert said.status == 0, said.err
        assert town.debits == [-2]
        if tool == "create_task":
            assert town.posts == 2  # the refused one, and attempt 2 of the same intent after a look
            assert town.state["requests"]["list_tasks"] >= 1
