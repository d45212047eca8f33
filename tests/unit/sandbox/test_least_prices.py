"""What `validate` takes for the least that a call costs is never above what the sandbox charges for it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from zenflow.catalog.minimum_price import least_credits
from zenflow.catalog.snapshot import read_snapshot
from zenflow.expr.values import Pending
from zenflow.sandbox.offers.catalogue import BY_NAME

TOOLS = read_snapshot().tools
SOME: Mapping[str, tuple[Any, ...]] = {  # of what a price can depend on; None: left out
    "resolution": (None, "480p", "720p", "1080p", "1440p", "2160p"),
    "duration": (None, 1, 5, 6, 10, 12),
    "number_of_images": (None, 1, 4),
    "batch_size": (None, 1, 4),
    "scale": (None, 2, 4),
}


def calls(name: str) -> list[dict[str, Any]]:
    fields = TOOLS[name].parameters
    models = [None, *(model.value for model in TOOLS[name].models)]
    varied = {field: values for field, values in SOME.items() if field in fields} | {"model": models}
    found = [dict(zip(varied, values, strict=True)) for values in itertools.product(*varied.values())]
    allowed = fields.get("resolution", {}).get("enum")
    return [
        {field: value for field, value in one.items() if value is not None}
        for one in found
        if allowed is None or one.get("resolution") in allowed
    ]


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_the_least_is_never_above_the_price(name: str) -> None:
    offer = BY_NAME[name]
    for params in calls(name):
        price = offer.price(params, offer.model_named(params.get("model")))
        assert least_credits(TOOLS[name], params) <= price, params
        if "model" in params:
            assert least_credits(TOOLS[name], {**params, "model": Pending()}) <= price, params


def test_prices_the_least_from_its_row() -> None:
    assert least_credits(TOOLS["image_editor"], {"model": "NANO_BANANA"}) == 4
    assert least_credits(TOOLS["upscaler"], {}) == 2
    assert least_credits(TOOLS["videogen"], {"model": "kling@2.6", "resolution": "720p"}) == 10
    assert least_credits(TOOLS["videogen"], {"model": "kling@2.6", "resolution": "720p", "duration": 5}) == 0
    assert least_credits(TOOLS["videogen"], {"model": "kling@2.6", "resolution": "480p"}) == 0
    assert least_credits(TOOLS["video2video"], {}) == 0, "its base price is that of a resolution nobody named"
