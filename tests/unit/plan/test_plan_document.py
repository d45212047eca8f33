"""`plan --json`, and what the planner is not able to do."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path

import zenflow.plan
from zenflow.plan.model import Plan
from zenflow.plan.output.document import plan_document

Planner = Callable[..., Plan]

BODY = """
budget: 10
steps:
  gen: {uses: by_prompt, with: {positive_prompt: x, model: SEEDREAM_5, batch_size: 2}}
  save: {uses: download, with: {asset_ids: "${{ steps.gen.asset_ids }}"}}
"""


def test_the_document_has_what_scripts_read(plan: Planner) -> None:
    document = json.loads(json.dumps(plan_document(plan(BODY))))
    assert document["recipe"]["name"] == "test"
    assert len(document["recipe"]["digest"]) == 64
    assert document["credits"] == {"low": 2, "expected": 2, "worst": 2}
    assert (document["budget"], document["balance"], document["verdict"]) == (10, 1000, "fits")
    [gen, save] = document["steps"]
    assert gen["instances"] == {"min": 1, "expected": 1, "max": 1}
    assert (gen["id"], gen["uses"], gen["model"], gen["credits_each"]) == ("gen", "by_prompt", "SEEDREAM_5", 2)
    assert save["credits_each"] is None
    assert save["needs"] == ["gen"]


def test_an_unknown_price_is_null_in_the_document(plan: Planner, prices: object) -> None:
    prices.silent = ("by_prompt",)  # type: ignore[attr-defined]
    document = plan_document(plan(BODY))
    assert document["steps"][0]["credits_each"] is None
    assert document["steps"][0]["unpriced"] == "no price for this"
    assert document["verdict"] == "unpriced"


def test_nothing_in_this_room_can_reach_a_service() -> None:
    folder = Path(next(iter(zenflow.plan.__path__)))
    above = (
        "zenflow.providers",
        "zenflow.engine",
        "zenflow.journal",
        "zenflow.app",
        "zenflow.artifacts",
        "mcp",
        "httpx2",
    )
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        names += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
        assert not [name for name in names if name.startswith(above)], path
