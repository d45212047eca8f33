"""Which providers there are. Naming one costs nothing; its libraries are imported when it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from zenflow.errors import UsageError
from zenflow.suggest import did_you_mean

PROVIDERS: Mapping[str, str] = {"mcp": "zenflow.providers.mcp.provider:McpProvider"}
DEFAULT_PROVIDER = "mcp"


def provider_factory(name: str = DEFAULT_PROVIDER) -> Callable[..., Any]:
    """What makes a provider of that name; its arguments are its own. Raises `UsageError` (ZF712) for an unknown one."""
    if name not in PROVIDERS:
        known = f"known: {', '.join(PROVIDERS)}"
        raise UsageError("ZF712", f"no provider is named {name!r}", did_you_mean(name, PROVIDERS) or known)
    module, _, attribute = PROVIDERS[name].partition(":")
    factory: Callable[..., Any] = getattr(import_module(module), attribute)
    return factory
