"""A recipe text in, a plan out; prices come from a table, and nothing here could submit."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from zenflow.catalog.model import Account, Catalog
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.catalog.snapshot import read_snapshot
from zenflow.credits import Credits
from zenflow.errors import InvalidRecipe
from zenflow.plan.build import PlanRequest, build_plan, check_recipe
from zenflow.plan.model import Plan
from zenflow.problems import Problem, Problems
from zenflow.recipe.load import load_recipe_texts
from zenflow.recipe.model import Recipe

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
EACH = {"image_editor": 1, "by_prompt": 1, "upscaler": 2, "videogen": 3, "video_upscaler": 4, "run_any_llm": 1}
MODELS = {"NANO_BANANA": 4, "QWEN_IMAGE_PRO": 2, "kling@2.6": 10}

HEAD = "zenflow: 1\nname: test\nversion: 1.0.0\n"


@dataclass
class Prices:
    """Answers price questions and remembers them. `silent`: tools that get no price."""

    silent: tuple[str, ...] = ()
    declines: Mapping[str, str] = field(default_factory=dict)  # by tool: what the service has against the call
    status: int = 422
    asked: list[PriceRequest] = field(default_factory=list)

    async def __call__(self, price_requests: Sequence[PriceRequest]) -> Mapping[str, Quote]:
        self.asked += price_requests
        return {price_request.key: self._quote(price_request) for price_request in price_requests}

    def _quote(self, price_request: PriceRequest) -> Quote:
        if price_request.tool in self.silent:
            return Quote(None, NOW, "no price for this")
        if price_request.tool in self.declines:
            said = self.declines[price_request.tool]
            return Quote(None, NOW, said, self.status, price_request.placeholder, (said,), declined=True)
        each = MODELS.get(str(price_request.params.get("model")), EACH[price_request.tool])
        count = price_request.params.get("number_of_images", price_request.params.get("batch_size", 1))
        return Quote(Credits(each * count), NOW, placeholder=price_request.placeholder)


Planner = Callable[..., Plan]
Finder = Callable[..., list[Problem]]


def recipe_of(body: str, **others: str) -> Recipe:
    """A recipe of the steps and whatever else is written; `others` are recipes beside it."""
    files = {"main.yaml": HEAD + textwrap.dedent(body)}
    files.update({f"{name}.yaml": HEAD + textwrap.dedent(text) for name, text in others.items()})
    return load_recipe_texts(files, "main.yaml")


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return read_snapshot()


@pytest.fixture
def prices() -> Prices:
    return Prices()


@pytest.fixture
def plan(catalog: Catalog, prices: Prices) -> Planner:
    def make(
        body: str, inputs: Mapping[str, Any] | None = None, *, beside: Mapping[str, str] | None = None, **more: Any
    ) -> Plan:
        request = request_for(recipe_of(body, **(beside or {})), catalog, inputs, more)
        return asyncio.run(build_plan(request, prices))

    return make


@pytest.fixture
def problems_of(catalog: Catalog) -> Finder:
    """What `zenflow validate` would say; `plan` refuses exactly when an error is among it."""

    def find(
        body: str, inputs: Mapping[str, Any] | None = None, *, beside: Mapping[str, str] | None = None, **more: Any
    ) -> list[Problem]:
        request = request_for(recipe_of(body, **(beside or {})), catalog, inputs, more)
        problems = Problems()
        check_recipe(request, problems)
        refused = False
        try:
            asyncio.run(build_plan(request, Prices()))
        except InvalidRecipe as invalid:
            refused = True
            assert invalid.problems == problems.in_order()
        assert refused == problems.has_errors
        return list(problems.in_order())

    return find


def request_for(
    recipe: Recipe, catalog: Catalog, inputs: Mapping[str, Any] | None, more: dict[str, Any]
) -> PlanRequest:
    lacking = frozenset(more.pop("lacking", ()))
    account = Account("me", Credits(1000), is_trusted=True)
    return PlanRequest(
        **{
            "recipe": recipe,
            "inputs": inputs or {},
            "server": "sandbox",
            "catalog": replace(catalog, service_tools=catalog.service_tools - lacking),
            "account": account,
            "balance": Credits(1000),
            **more,
        }
    )
