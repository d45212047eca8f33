"""Nonsense of every kind: the loader, the expressions and the planner answer with findings, never with a crash.

`ZENFLOW_FUZZ=5000` tries more. `python tests/safety/fuzz_atheris.py` goes on for as long as one likes, led by coverage.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zenflow.app.config.settings import load_settings
from zenflow.app.config.workspace import find_workspace
from zenflow.app.planning.prepare import RecipeRequest
from zenflow.app.planning.validate import validate
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.catalog.snapshot import read_snapshot
from zenflow.errors import InvalidRecipe, UsageError
from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.parse import parse_text
from zenflow.expr.template import Template
from zenflow.expr.values import SKIPPED, Pending, Type
from zenflow.plan.build import PlanRequest, build_plan
from zenflow.problems import Problems
from zenflow.recipe.inputs.bind import bind_inputs
from zenflow.recipe.load import load_recipe
from zenflow.recipe.text.formatter import laid_out

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MANY = int(os.environ.get("ZENFLOW_FUZZ", "150"))
QUICK = settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
SHIPPED = sorted(path for path in (ROOT / "recipes").rglob("*.yaml") if ".test." not in path.name)
MISTAKES = sorted((ROOT / "tests/mistakes").glob("*.yaml"))
PIECES = (
    "${{", "}}", "{{", "[", "]", "{", "}", ": ", "- ", "\n", "  ", "\t", "#", "'", "\"", "&a ", "*a", "<<: ", "!t ",
    "|\n", ">\n", "---\n", "foreach: ", "uses: ", "with:\n", "steps.", "inputs.", "item", "index", "origin.",
    "previous", "null", "true", "1e9", ".inf", "0x1", "007", "\u00e9", "\u2028", "\x00", "\ufeff",
    "${{ steps.generate.asset_ids }}", "${{ inputs.n }}", "max: 3\n", "if: ", "./templates/image-to-video.yaml",
    "download", "pick", "x-a: ", "?", "~", "%", "@",
)  # fmt: skip


def mangled(text: str, chance: random.Random) -> str:
    """A text with a few cuts, repeats, swaps of lines and pieces put in."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(text) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            text = text[:at] + text[at + chance.randint(1, 12) :]
        elif kind == 1:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        else:
            lines = text.split("\n")
            one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            if kind == 2:
                lines[one], lines[other] = lines[other], lines[one]
            elif kind == 3:
                lines[one:one] = [lines[other]]
            else:
                del lines[one]
            text = "\n".join(lines)
        text = text or "a"
    return text


@QUICK
@given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
def test_bytes_are_answered_with_findings(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(data)
    problems = Problems()
    recipe = load_recipe(path, problems)
    assert recipe is not None or problems.has_errors
    laid_out(data.decode("utf-8", "replace"), "fuzz.yaml", Problems())


WORDS = (
    "inputs", "steps", "item", "index", "a", ".", "[", "]", "(", ")", "|", "~", "+", "-", "*", "/", "//", "%", "**",
    "==", "<", "in", "and", "or", "not", "is", "defined", "none", "null", "if", "else", "1", "2.5", "'t'", "\"u\"",
    ",", ":", "{", "}", "range", "length", "join", "map", "sort", "default", "first", "slug", "pad", "tojson", "sum",
    "=", "true", "items", "x", "0", "-1", "1e308",
)  # fmt: skip


@settings(max_examples=MANY * 4, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=14), st.integers(0, 2))
def test_expressions_give_a_value_or_a_finding(words: Sequence[str], known: int) -> None:
    data: dict[str, Any] = {"a": [1, {"x": "y"}, None], "x": {"items": 3}}
    kinds: list[Any] = [data, {"a": Pending("a", Type("array")), "x": Pending()}, {"a": SKIPPED, "x": None}]
    problems = Problems()
    template = parse_text("${{ " + " ".join(words) + " }}", None, None, problems)
    if isinstance(template, Template) and not problems.has_errors:
        try:
            evaluate(template, {"inputs": kinds[known], "item": data, "index": 3, "steps": kinds[known]})
        except ExpressionError as error:
            assert error.code.startswith("ZF3")


async def _ask(price_requests: Sequence[PriceRequest]) -> dict[str, Quote]:
    return {one.key: Quote(Decimal(1), datetime(2026, 1, 1, tzinfo=UTC)) for one in price_requests}


@pytest.mark.parametrize("seed", range(max(MANY, 150)))
def test_reports_a_mangled_recipe_and_plans_a_valid_one(tmp_path: Path, seed: int) -> None:
    chance = random.Random(f"mangled-{seed}")
    source = chance.choice(SHIPPED + MISTAKES)
    folder = tmp_path / "book"
    folder.mkdir()
    for name in ("photos", "templates"):
        (folder / name).symlink_to(ROOT / "recipes" / name)
    path = folder / "mangled.yaml"
    text = mangled(source.read_text("utf-8"), chance)
    path.write_text(text, "utf-8", newline="\n")
    workspace = load_settings(find_workspace(folder), {}, {}, current=folder)
    found = asyncio.run(validate(RecipeRequest(recipe=str(path), current=folder), workspace))
    assert all(one.place is not None or one.code.startswith("ZF5") for one in found.problems), found.problems
    laid_out(text, "mangled.yaml", Problems())
    if not found.is_valid:
        return
    recipe = load_recipe(path, Problems())
    assert recipe is not None
    try:
        inputs = bind_inputs(recipe, [], folder).values
    except InvalidRecipe as missing:
        assert all(problem.code.startswith("ZF5") for problem in missing.problems)
        return
    catalog = read_snapshot()
    request = PlanRequest(recipe=recipe, inputs=inputs, server="sandbox", catalog=catalog, balance=Decimal(1000))
    try:
        asyncio.run(build_plan(request, _ask))
    except InvalidRecipe as error:
        pytest.fail(f"valid, and cannot be planned: {[(p.code, p.message) for p in error.problems]}\n{text}")
    except UsageError as error:
        pytest.fail(f"{error.code} {error.message}\n{text}")
