"""What a shape gives and costs when nothing goes wrong: what a run through any weather is compared with."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from tests.support.build import Stage, recipe_of
from tests.support.shapes import SHAPES, Shape


@lru_cache(maxsize=32)
def undisturbed(name: str) -> tuple[dict[str, bytes], Decimal]:
    """The files and the cost of a shape when nothing goes wrong."""
    shape = next(shape for shape in SHAPES if shape.name == name)
    stage = Stage(recipe_of(shape.text, shape.others), budget=1000)
    assert stage.finished().status == "done"
    return stage.contents(), stage.state().books.spent


def undisturbed_cost(shape: Shape) -> Decimal:
    return undisturbed(shape.name)[1]
