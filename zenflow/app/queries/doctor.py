"""Is everything as it should be: the installation, the workspace, the journal, the server, the sign-in.

Asks and reads; changes nothing, spends nothing. What is wrong comes with what to do about it.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from zenflow import __version__
from zenflow.app.config.settings import TOKEN_VARIABLE, Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.probe_results import findings_of, is_live
from zenflow.app.connection.retry import with_retries
from zenflow.catalog.model import Account, Catalog
from zenflow.engine.assumptions import ASSUMPTIONS
from zenflow.errors import ZenflowError
from zenflow.journal import health
from zenflow.providers.base import Service, ServiceError

Mark = Literal["ok", "look", "wrong", "unknown"]

PACKAGES = ("mcp", "httpx2", "jsonschema", "jinja2", "pyyaml", "pillow", "click", "rich")
LITTLE_SPACE = 500 * 1_000_000  # a run of two hundred pictures and some clips
CLOCK_MAY_DIFFER_S = 120.0
LEAST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `look`: works, and is worth knowing; `wrong`: will not work like this."""

    section: str
    name: str
    mark: Mark
    said: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Checkup:
    server: str
    checks: tuple[Check, ...]

    @property
    def is_well(self) -> bool:
        return all(one.mark != "wrong" for one in self.checks)


async def doctor(settings: Settings) -> Checkup:
    """Everything; one thing that is wrong does not keep the others from being looked at."""
    checks = [*_installation(), *_workspace(settings), *await _journal(settings)]
    checks += [check async for check in _server(settings)]
    checks += list(_assumptions(settings))
    return Checkup(settings.server, tuple(checks))


# ---------------------------------------------------------------------------------------------------------- installation


def _installation() -> Iterator[Check]:
    section = "installation"
    yield Check(section, "zenflow", "ok", f"{__version__} in {Path(sys.prefix)}")
    python = platform.python_version()
    if sys.version_info[:2] < LEAST_PYTHON:
        yield Check(section, "Python", "wrong", f"{python}; 3.11 or newer is needed", "Install a newer Python.")
    else:
        yield Check(section, "Python", "ok", f"{python} on {platform.platform(terse=True)}")
    missing, found = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        said = f"not installed: {', '.join(missing)}"
        yield Check(section, "packages", "wrong", said, "`pip install --upgrade zenflow` installs what it needs.")
    else:
        yield Check(section, "packages", "ok", ", ".join(found))
    yield Check(section, "SQLite", "ok", health.sqlite_version())


# ------------------------------------------------------------------------------------------------------------- workspace


def _workspace(settings: Settings) -> Iterator[Check]:
    section = "workspace"
    file = settings.workspace.file
    yield Check(section, "settings", "ok", str(file) if file is not None else "no zenflow.toml here: defaults")
    yield _folder(section, "output", settings.output_dir)
    yield _folder(section, "state", settings.state_dir)
    problem = health.folder_problem(settings.state_dir)
    if problem is not None:
        yield Check(section, "state folder", "wrong", problem.message, problem.hint or "")
    elif settings.state_dir.exists() and _is_open_to_others(settings.state_dir):
        said = "others on this machine may write to it"
        yield Check(section, "permissions", "look", said, f"`chmod go-w {settings.state_dir}`")


def _folder(section: str, name: str, folder: Path) -> Check:
    """Writable, or makeable, with some space left."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return Check(section, name, "wrong", f"{there} is a file, not a folder", "Name another place.")
    if not os.access(there, os.W_OK | os.X_OK):
        return Check(section, name, "wrong", f"{there} cannot be written", "Make it writable, or name another place.")
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Check(section, name, "unknown", f"{folder}: {error.strerror or error}")
    said = f"{folder}, {free / 1e9:.1f} GB free"
    if free < LITTLE_SPACE:
        return Check(section, name, "look", said, "Results of a larger run may not fit: free some space.")
    return Check(section, name, "ok", said if folder.exists() else f"{said} (not made yet)")


def _is_open_to_others(folder: Path) -> bool:
    return os.name != "nt" and bool(folder.stat().st_mode & 0o022)


async def _journal(settings: Settings) -> list[Check]:
    section = "journal"
    found = health.examine(settings.state_dir)
    if found.problem is not None:
        return [Check(section, "file", "wrong", found.problem.message, found.problem.hint or "")]
    if not found.exists:
        return [Check(section, "file", "ok", "none yet: the first run makes it")]
    said = (
        f"{found.path.name}, {found.bytes / 1e6:.1f} MB: {found.runs} runs, {found.facts} facts, all of them readable"
    )
    return [Check(section, "file", "ok", said), *await _runs(settings)]


async def _runs(settings: Settings) -> list[Check]:
    """Runs that died."""
    journal = wiring.open_journal(settings, wiring.clock(), read_only=True)
    try:
        rows = journal.runs()
    except ZenflowError as error:
        return [Check("journal", "runs", "wrong", error.message, error.hint or "")]
    finally:
        await journal.close()
    died = [row.run_id for row in rows if row.status == "running" and not row.holder_alive]
    if not died:
        return []
    said = f"ended without saying so: {', '.join(died[:3])}" + (f" and {len(died) - 3} more" if died[3:] else "")
    return [Check("journal", "runs", "look", said, f"`zenflow resume {died[0]}` goes on; nothing is paid twice.")]


# ---------------------------------------------------------------------------------------------------------------- server


async def _server(settings: Settings) -> AsyncIterator[Check]:
    """Reached, understood, signed in, in time. The first no ends it: the rest cannot be asked."""
    clock = wiring.clock()
    section = "server"
    try:
        async with wiring.open_provider(settings, clock) as provider:
            about = await provider.about()
            yield Check(section, "reached", "ok", f"{settings.server}, MCP {about.protocol}")
            account = await with_retries(provider.account, clock)
            for check in (*_clock(about.clock_difference_s), *_account(account, settings)):
                yield check
            catalog = await with_retries(lambda: provider.catalog([]), clock)
            for check in _tools(catalog):
                yield check
            yield await _transactions(provider)
    except ServiceError as error:
        name = "sign-in" if error.trouble == "sign_in" else "reached"
        yield Check(section, name, "wrong", error.message, error.hint or "")
    except ZenflowError as error:
        yield Check(section, "reached", "wrong", error.message, error.hint or "")


def _clock(difference_s: float | None) -> Iterator[Check]:
    if difference_s is None:
        yield Check("server", "clock", "unknown", "the server does not tell its time")
        return
    size = abs(difference_s)
    if size <= CLOCK_MAY_DIFFER_S:
        yield Check("server", "clock", "ok", f"{size:.0f} s apart from this machine's")
        return
    where = "behind" if difference_s > 0 else "ahead of"
    said = f"this machine's clock is {size:.0f} s {where} the server's"
    yield Check(
        "server", "clock", "look", said, "Let it be set by the network: days in caps and reports are off by it."
    )


def _account(account: Account, settings: Settings) -> Iterator[Check]:
    section = "account"
    how = (
        f"a token in {TOKEN_VARIABLE}" if settings.token else "its sign-in" if is_live(settings.server) else "no token"
    )
    yield Check(section, "signed in", "ok", f"{account.account_id}, by {how}")
    if account.closed:
        yield Check(
            section, account.closed, "wrong", "the service refuses the calls of this account", "Ask its support."
        )
    if account.credits is None:
        yield Check(section, "credits", "unknown", "the service does not tell the balance")
    elif account.out_of_credits or account.credits <= 0:
        yield Check(section, "credits", "look", "none left", account.purchase_url or "Top up before a paid run.")
    else:
        yield Check(section, "credits", "ok", f"{account.credits}")
    closed = [
        *([] if account.nsfw_allowed else ["adult content is off"]),
        *([] if account.is_trusted else ["not trusted: some models are closed"]),
    ]
    yield Check(section, "gates", "look" if closed else "ok", "; ".join(closed) or "all open", "")


def _tools(catalog: Catalog) -> Iterator[Check]:
    count = len(catalog.tool_names)
    if not count:
        yield Check("server", "tools", "wrong", "no generation tool is offered", "Is this the right server?")
        return
    absent = [
        name
        for name, there in (("craft_prompt", catalog.has_craft_prompt), ("describe", catalog.has_describe))
        if not there
    ]
    said = f"{count} generation tools" + (f"; not here: {', '.join(absent)}" if absent else ", both helpers")
    yield Check("server", "tools", "look" if absent else "ok", said)


async def _transactions(provider: Service) -> Check:
    try:
        rows, _ = await provider.transactions(limit=1, offset=0)
    except ServiceError as error:
        said = f"the list of transactions cannot be read: {error.message}"
        hint = "Without it there is no second witness: after a lost answer a person decides."
        return Check("server", "transactions", "look", said, hint)
    return Check("server", "transactions", "ok", "readable" if rows else "readable, and empty")


# ----------------------------------------------------------------------------------------------------------- assumptions


def _assumptions(settings: Settings) -> Iterator[Check]:
    """What was measured on this server; nothing is known of one that was never probed."""
    known = findings_of(settings.state_dir, settings.server)
    for one in ASSUMPTIONS:
        found = known.findings.get(one.name)
        if not one.measured:
            continue
        if found is None:
            if is_live(settings.server):
                yield Check("assumptions", one.name, "unknown", f"not measured: {one.said}", "`zenflow doctor --probe`")
            continue
        mark: Mark = "ok" if found.holds else "look" if found.holds is False else "unknown"
        hint = "" if found.holds else f"Else: {one.otherwise}."
        yield Check("assumptions", one.name, mark, f"{found.said} ({found.at[:10]})", hint)
