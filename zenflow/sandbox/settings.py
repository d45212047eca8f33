"""What a sandbox is told before it starts.

Cheap to import on purpose (no protocol library, no pictures): the command line reads it to describe its options.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """One sandbox: an account, the service's manners, and the mishaps asked for."""

    credits: int = 1000  # the balance of a new account; an account found in state_dir keeps its own
    speed: float = 1.0  # the service's durations are divided by this
    seed: int = 0  # durations, drawn pictures and faults with a probability follow it
    state_dir: Path | None = None  # None: memory only, gone with the process
    nsfw_allowed: bool = False
    trusted: bool = False
    helpers: bool = True  # craft_prompt and describe_asset are an optional sidecar of the service
    token: str | None = None  # a bearer token that every MCP request must carry
    oauth: bool = False  # every MCP request must carry a token of our own sign-in, which approves whoever comes
    token_lifetime_s: float = 3600.0  # of the access tokens of that sign-in
    faults: Path | None = None  # a file of mishaps, see docs/sandbox.md; also opens /admin
    requests_per_second: float | None = None  # above it, tools answer 429
    url_lifetime_s: float = 300  # signed URLs "expire within a few minutes" (tools/assets)
    account_id: str | None = None  # None: a new account, kept in state_dir where there is one
    legacy_only: bool = False  # a server that only knows clients which `initialize`
    admin_token: str | None = None  # what /admin takes; None: the token, where there is one
    admin: bool = False  # opens /admin/*, for tests
    blocked: tuple[str, ...] = ()  # "tool" or "tool:model": switched off, as the service does at times
    account_blocked: bool = False  # get_me says so, and nothing can be submitted
    account_inactive: bool = False  # get_me says `active: false`, and nothing can be submitted
    absent: tuple[str, ...] = ()  # MCP tools, without prefix, that this deployment lacks
    prices_want_assets: bool = False  # a price question names an asset that does not exist: 422, as at submission

    def __post_init__(self) -> None:
        if self.credits < 0:
            raise ValueError("credits must not be negative")
        if not self.speed > 0:
            raise ValueError("speed must be above zero")
        if self.requests_per_second is not None and not self.requests_per_second > 0:
            raise ValueError("requests_per_second must be above zero")
        if not self.token_lifetime_s > 0:
            raise ValueError("token_lifetime_s must be above zero")
        if self.oauth and self.token is not None:
            raise ValueError("a fixed token and a sign-in exclude each other")
        if not self.url_lifetime_s > 0:
            raise ValueError("url_lifetime_s must be above zero")
