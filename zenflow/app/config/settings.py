"""Every setting with its value and where that came from: command line > environment > zenflow.toml > default.

Knows keys and values, not what they do. The keys are those of the language page, “The workspace”.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from zenflow.app.config.setting_specs import KEYS, Key, meant, read_value
from zenflow.app.config.settings_file import read_settings_file
from zenflow.app.config.trust import Claim, TrustStore
from zenflow.app.config.workspace import STATE, Workspace
from zenflow.errors import UsageError
from zenflow.host.writing import link_out_of

LINK_OUT = "ZF037"
TOKEN_VARIABLE = "ZENFLOW_TOKEN"
TOKEN_HOST_VARIABLE = "ZENFLOW_TOKEN_HOST"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value in force. `origin` is `--server`, `ZENFLOW_SERVER`, `zenflow.toml:3` or `default`."""

    key: str
    value: Any
    origin: str
    by_file: bool = False  # a file says it, not you: `zenflow.toml`, a saved plan, a journal


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them. The token is no setting: it is never shown, only whether there is one."""

    workspace: Workspace
    by_key: Mapping[str, Setting]
    token: str | None = None
    token_host: str | None = None  # the one host that may see the token
    config_dir: Path = Path()  # the operator's own, for what belongs to no workspace: sign-ins, trust
    confirm: Callable[[Sequence[Claim]], bool] | None = None  # asks the operator; None: nobody can be asked

    def __repr__(self) -> str:  # a token must not reach a log by way of a traceback
        return f"Settings({self.workspace.root}, {len(self.by_key)} keys)"

    @property
    def trust(self) -> TrustStore:
        return TrustStore(self.config_dir)

    def on_server(self, server: str, origin: str, *, by_file: bool) -> Settings:
        """The same settings for another server."""
        own = Setting("service.server", server, origin, by_file)
        return replace(self, by_key={**self.by_key, "service.server": own})

    def value(self, key: str) -> Any:
        return self.by_key[key].value

    @property
    def server(self) -> str:
        return str(self.value("service.server"))

    @property
    def speed(self) -> float:
        return float(self.value("service.speed"))

    @property
    def per_run(self) -> Decimal | None:
        return _credits(self.value("budget.per_run"))

    @property
    def per_day(self) -> Decimal | None:
        return _credits(self.value("budget.per_day"))

    @property
    def allows_nsfw(self) -> bool:
        return bool(self.value("policy.nsfw") == "allow")

    @property
    def output_dir(self) -> Path:
        return Path(self.value("output.dir"))

    @property
    def state_dir(self) -> Path:
        return Path(self.value("state.dir"))


def load_settings(
    workspace: Workspace,
    environment: Mapping[str, str],
    overrides: Mapping[str, tuple[str, str]],
    *,
    current: Path,
) -> Settings:
    """Read every source. `overrides` are texts of the command line, each with the option that gave it.

    Paths of the file are relative to it, all others to the folder `current`. Raises InvalidSettings, UsageError.
    """
    written = read_settings_file(workspace)
    by_key = {key.name: _setting(key, written, workspace, environment, overrides, current) for key in KEYS}
    _refuse_links(workspace, by_key)
    return Settings(
        workspace,
        by_key,
        token=environment.get(TOKEN_VARIABLE) or None,
        token_host=environment.get(TOKEN_HOST_VARIABLE, "").strip().lower() or None,
        config_dir=user_config_dir(environment),
    )


def _refuse_links(workspace: Workspace, by_key: Mapping[str, Setting]) -> None:
    """The state and the results of a workspace lie in it: a received folder may hold links that lead elsewhere.

    A folder that you named on the command line or in the environment is your word, wherever it lies.
    """
    for key, option in (("state.dir", "--state DIR"), ("output.dir", "--out DIR")):
        setting = by_key[key]
        path = Path(os.path.normpath(setting.value))
        in_workspace = path.is_relative_to(workspace.root) and (setting.by_file or setting.origin == "default")
        if in_workspace and link_out_of(workspace.root, path) is not None:
            hint = f"Remove the link, or name the folder that you mean: `{option}`."
            raise UsageError(LINK_OUT, f"invalid folder: {path} is a link that leads out of the workspace", hint)


def user_config_dir(environment: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The user's configuration folder, as each system has it."""
    if environment.get("XDG_CONFIG_HOME"):
        return Path(environment["XDG_CONFIG_HOME"]) / "zenflow"
    if platform == "win32" and environment.get("APPDATA"):
        return Path(environment["APPDATA"]) / "zenflow"
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or "~").expanduser()
    if platform == "darwin":
        return home / "Library" / "Application Support" / "zenflow"
    return home / ".config" / "zenflow"


def _setting(
    key: Key,
    written: Mapping[str, tuple[Any, str]],
    workspace: Workspace,
    environment: Mapping[str, str],
    overrides: Mapping[str, tuple[str, str]],
    current: Path,
) -> Setting:
    if key.name in overrides:
        text, origin = overrides[key.name]
        return Setting(key.name, _placed(key, _from_text(key, text, origin), current), origin)
    if environment.get(key.variable):
        value = _from_text(key, environment[key.variable], key.variable)
        return Setting(key.name, _placed(key, value, current), key.variable)
    if key.name in written:
        value, origin = written[key.name]
        return Setting(key.name, _placed(key, value, workspace.root), origin, by_file=True)
    default = STATE if key.name == "state.dir" else key.default
    return Setting(key.name, _placed(key, default, workspace.root), "default")


def _from_text(key: Key, text: str, origin: str) -> Any:
    value, expected = read_value(key, text)
    if expected is not None:
        hint = meant(key, text) or f"For example: {key.example}."
        raise UsageError("ZF020", f"{origin} is `{text}`: {expected} was expected.", hint)
    return value


def _placed(key: Key, value: Any, folder: Path) -> Any:
    return folder / Path(value).expanduser() if key.kind == "path" and value is not None else value


def _credits(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
