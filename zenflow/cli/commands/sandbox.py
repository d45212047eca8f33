"""`zenflow sandbox`: serve the sandbox over HTTP."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from zenflow.cli.params.options import DisplayOptions, display_options
from zenflow.cli.params.paths import NamedPath
from zenflow.cli.running.event_loop import wait_for
from zenflow.cli.terminal.console import Console
from zenflow.errors import UsageError
from zenflow.sandbox.settings import SandboxSettings


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--credits", type=click.IntRange(0), default=1000, show_default=True, help="Balance of a new account.")
@click.option("--speed", type=float, default=20.0, show_default=True, help="Times faster than the service.")
@click.option("--seed", type=int, default=0, show_default=True, help="Durations and pictures follow it.")
@click.option("--state", type=NamedPath(), metavar="DIR", help="Keep everything here, also when killed.")
@click.option("--nsfw-allowed", is_flag=True, help="The account may use adult models.")
@click.option("--trusted", is_flag=True, help="The account may use trusted-only models.")
@click.option("--no-helpers", is_flag=True, help="Without craft_prompt and describe_asset.")
@click.option("--auth", type=click.Choice(["none", "token", "oauth"]), help="Who may come in; left out: none.")
@click.option("--token", metavar="TEXT", help="The bearer token of `--auth token`; left out, one is made.")
@click.option("--token-lifetime", type=float, default=3600.0, show_default=True, help="Seconds, with `--auth oauth`.")
@click.option("--faults", type=NamedPath(), metavar="FILE", help="Mishaps on request (docs/sandbox.md).")
@click.option("--admin-token", metavar="TEXT", help="The token of /admin, with `--faults`; left out, one is made.")
@click.option("--requests-per-second", type=float, metavar="N", help="Above it, answer 429.")
@click.option("--url-lifetime", type=float, default=300.0, show_default=True, help="Seconds a signed URL lives.")
@click.option("--legacy-only", is_flag=True, help="Know only clients that initialize.")
@display_options
def command(
    port: int,
    host: str,
    credits: int,
    speed: float,
    seed: int,
    state: Path | None,
    nsfw_allowed: bool,
    trusted: bool,
    no_helpers: bool,
    auth: str | None,
    token: str | None,
    token_lifetime: float,
    faults: Path | None,
    admin_token: str | None,
    requests_per_second: float | None,
    url_lifetime: float,
    legacy_only: bool,
    display: DisplayOptions,
) -> int:
    """Serve the sandbox over HTTP until Ctrl-C: the service's protocol, prices and manners, with drawn pictures."""
    from zenflow.app.queries.sandbox import check_faults, serve_sandbox

    if token is not None and auth not in (None, "token"):
        raise UsageError("ZF003", f"`--token` means something with `--auth token` only, not with `--auth {auth}`.")
    if token is not None and not token.strip():
        raise UsageError("ZF003", "`--token` is empty.", "Leave it out: one is made.")
    if faults is not None:
        check_faults(faults)
    if auth == "token" and token is None:
        token = secrets.token_urlsafe(16)
    try:
        settings = SandboxSettings(
            credits=credits,
            speed=speed,
            seed=seed,
            state_dir=state,
            nsfw_allowed=nsfw_allowed,
            trusted=trusted,
            helpers=not no_helpers,
            token=token,
            admin_token=None if faults is None else admin_token or secrets.token_urlsafe(16),
            oauth=auth == "oauth",
            token_lifetime_s=token_lifetime,
            faults=faults,
            requests_per_second=requests_per_second,
            url_lifetime_s=url_lifetime,
            legacy_only=legacy_only,
        )
    except ValueError as error:
        raise UsageError("ZF067", f"The sandbox cannot be like that: {error}.") from error
    try:
        wait_for(serve_sandbox(settings, host, port, lambda url: _tell(url, display.console, settings)))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        raise UsageError(
            "ZF069", f"Nothing can listen on {host}:{port}: {error.strerror or error}.", "`--port 0` takes a free port."
        ) from error
    return 0


def _tell(url: str, console: Console, settings: SandboxSettings) -> None:
    lines = [url, ""]
    if settings.oauth:
        lines.append(f"→ zenflow login --server {url}")
    token = f"ZENFLOW_TOKEN={settings.token} " if settings.token else ""
    lines += [f"→ {token}zenflow run RECIPE --server {url} --yes", "  Ctrl-C ends it."]
    if settings.admin_token:
        lines.append(f"  /admin takes `Authorization: Bearer {settings.admin_token}`.")
    console.show("\n".join(lines))
    tokens = {"token": settings.token, "admin_token": settings.admin_token}
    console.document("serving", None, {"url": url, **{name: value for name, value in tokens.items() if value}})
