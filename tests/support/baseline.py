"""What a shape gives and costs when nothing goes wrong: what a run through any weather is compared with."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from tests.support.build import Harness, recipe_of
from tests.support.shapes import SHAPES, Shape


@lru_cache(maxsize=32)
def baseline(name: str) -> tuple[dict[str, bytes], Decimal]:
    """The files and the cost of a shape when nothing goes wrong."""
    shape = next(shape for shape in SHAPES if shape.name == name)
    stage = Harness(recipe_of(shape.text, shape.others), budget=1000)
    assert stage.finished().status == "done"
    return stage.contents(), stage.state().totals.spent


def baseline_cost(shape: Shape) -> Decimal:
    return baseline(shape.name)[1]
