"""Planning cannot spend: every command that plans, on every shipped recipe, with a service whose paid methods raise.

The types say the same (`ReadOnlyProvider` offers none of these methods); here it is held against what the commands really do.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zenflow.app.connection.wiring import Connection, ReadOnlyConnection
from zenflow.providers.base import Provider, ReadOnlyProvider
from zenflow.providers.mcp.provider import McpProvider

Zenflow = Callable[..., Any]
RECIPES = Path(__file__).parents[2] / "recipes"
NAMES = sorted(path.stem for path in RECIPES.glob("*.yaml") if not path.name.endswith(".test.yaml"))

MAKES = ("submit", "upload_file", "upload_url", "craft_prompt", "describe", "delete_task")
"""Everything of a provider that costs, or that leaves something behind."""

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("validate", "{name}"),
    ("plan", "{name}"),
    ("plan", "{name}", "--json", "--detailed-exitcode"),
    ("plan", "{name}", "--compare", "--cheapest"),
    ("plan", "{name}", "--reuse", "-o", "{name}.json"),
    ("plan", "{name}", "--offline"),
    ("plan", "{name}", "--budget", "0"),
    ("run", "{name}", "--dry-run"),
    ("graph", "{name}"),
    ("diff", "{name}", "{name}.json"),
)


@pytest.fixture
def workspace(zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    assert zenflow("init").status == 0
    shutil.copytree(RECIPES, here / "recipes", dirs_exist_ok=True)
    return here


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From now on every paid method raises; what was tried stands in the list."""
    tried: list[str] = []

    def forbid(name: str) -> None:
        async def refuse(*args: object, **more: object) -> Any:
            tried.append(name)
            raise AssertionError(f"planning called {name}")

        monkeypatch.setattr(McpProvider, name, refuse)

    for name in MAKES:
        forbid(name)
    return tried


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_no_planning_command_pays_uploads_or_makes_anything(
    zenflow: Zenflow, workspace: Path, forbidden: list[str], name: str
) -> None:
    for words in COMMANDS:
        answer = zenflow(*(word.format(name=name) for word in words))
        assert answer.status in (0, 3, 10), (words, answer.err)
    assert forbidden == []
    assert zenflow("account", "--json").document["credits"] == 1000
    assert zenflow("tasks", "--json").document["tasks"] == []
    assert not (workspace / "out").exists()


@pytest.mark.slow
def test_spends_nothing_in_explain_and_test_plans(
    zenflow: Zenflow, workspace: Path, request: pytest.FixtureRequest
) -> None:
    assert zenflow("run", "catalogue").status == 0
    left = zenflow("account", "--json").document["credits"]
    tried: list[str] = request.getfixturevalue("forbidden")
    assert zenflow("why", "shoot.1", "catalogue", "-i", 'backgrounds=["a","b"]').status == 0
    assert zenflow("diff", "last", "catalogue").status == 0
    assert zenflow("plan", "catalogue", "--reuse", "last", "--redo", "shoot.1").status == 0
    (workspace / "recipes" / "one.yaml").write_text((RECIPES / "catalogue.yaml").read_text())
    cases = "zenflow-test: 1\ncases:\n  plan: {plan_only: true, expect: {status: done, planned: {worst: 6}}}\n"
    (workspace / "recipes" / "one.test.yaml").write_text(cases)
    assert zenflow("test", "recipes/one.test.yaml").status == 0
    assert tried == []
    assert zenflow("account", "--json").document["credits"] == left


def test_the_types_offer_planning_nothing_that_makes_anything() -> None:
    offered = {name for name in vars(ReadOnlyProvider) if not name.startswith("_")}
    assert offered == {"account", "catalog", "quote", "compare", "download_urls", "asset"}
    assert set(MAKES) <= {name for name in vars(Provider) if not name.startswith("_")}
    assert (
        ReadOnlyConnection.__annotations__["provider"] == "ReadOnlyProvider"
        and Connection.__annotations__["provider"] == "Provider"
    )


def test_what_a_run_does_is_forbidden_here(zenflow: Zenflow, workspace: Path, forbidden: list[str]) -> None:
    """The guard itself works: a run comes upon it."""
    assert zenflow("run", "catalogue").status != 0
    assert forbidden
