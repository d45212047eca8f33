"""What it costs to plan a fan-out of 10,000 when the service answers at once: `python bench/planning.py`.

CPU and memory of `build_plan` with a stub that knows every price. Targets: ≤ 2 s and ≤ 150 MB above a plan of 10. The
baseline is what cannot be left out: the 10,000 parameters as JSON, digested once each.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from table import Row, cpu_s, in_a_process, least, peak_mb, show

HEAD = "zenflow: 1\nname: noop\nversion: 1.0.0\ninputs: {looks: {type: array, items: {type: string}}}\nsteps:\n"
EDIT = "{foreach: '${{ inputs.looks }}', uses: image_editor, with: {prompt: '${{ item }}'}}"
SCALE = "{foreach: '${{ steps.head.asset_ids }}', uses: upscaler, with: {image_asset_id: '${{ item }}'}, max: 20000}"
SHAPES = {"fan-out": f"  head: {EDIT}\n", "fan-out and stream": f"  head: {EDIT}\n  tail: {SCALE}\n"}
MOST_S, MOST_MB = 2.0, 150.0
ROUNDS = 3


def rows() -> Iterator[Row]:
    for shape in SHAPES:
        few = in_a_process(__file__, shape, 10)
        many = least(ROUNDS, lambda shape=shape: in_a_process(__file__, shape, 10_000), "s")
        yield Row(f"plan 10,000, {shape}", many["s"], "s", many["bare_s"], MOST_S)
        yield Row(f"plan 10,000, {shape}: memory above 10", many["peak_mb"] - few["peak_mb"], "MB", None, MOST_MB)


def measure(shape: str, count: int) -> dict[str, float]:
    from instant import ACCOUNT, MOMENT, PRICE

    from tests.support.offers import catalog_of
    from zenflow.catalog.prices import PriceRequest, Quote
    from zenflow.cli.main import CALM_COLLECTOR
    from zenflow.plan.build import PlanRequest, build_plan
    from zenflow.plan.model import BudgetLine
    from zenflow.recipe.load import load_recipe_texts

    gc.set_threshold(*CALM_COLLECTOR)
    recipe = load_recipe_texts({"noop.yaml": HEAD + SHAPES[shape]}, "noop.yaml")
    asked = 0

    async def prices(price_requests: list[PriceRequest]) -> dict[str, Quote]:
        nonlocal asked
        asked += len(price_requests)
        return {price_request.key: Quote(PRICE, MOMENT) for price_request in price_requests}

    def plan(looks: list[str]) -> Any:
        request = PlanRequest(
            recipe=recipe,
            inputs={"looks": looks},
            server="instant",
            catalog=catalog_of(),
            account=ACCOUNT,
            bounds=(BudgetLine(Decimal(10**9), "--budget"),),
            balance=ACCOUNT.credits,
        )
        kept.append(asyncio.run(build_plan(request, prices)))

    kept: list[Any] = []
    looks = [f"look {number}" for number in range(count)]
    plan(looks[:2])  # loads what is loaded when first used
    seconds = cpu_s(lambda: plan(looks))
    peak = peak_mb()
    bare = cpu_s(lambda: [hashlib.sha256(json.dumps({"prompt": look}).encode()).hexdigest() for look in looks])
    return {"s": seconds, "bare_s": bare, "peak_mb": peak, "asked": asked}


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        show(rows())
