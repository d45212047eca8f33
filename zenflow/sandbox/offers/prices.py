"""What one call costs.

Pictures and clips follow the recorded prices; the rules between the recorded points are ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from zenflow.sandbox.offers.model import Inputs, OfferedModel

# Relative to 720p, for which the clip prices are recorded. Chosen by us.
RESOLUTION_FACTOR = {"480p": 0.6, "720p": 1.0, "1080p": 1.8}
_CLIP = {"480p": 6, "720p": 10, "1080p": 18}  # video2video, chosen by us
_CLIP_ENLARGED = {"1080p": 4, "1440p": 6, "2160p": 10}  # video_upscaler, chosen by us
_ENLARGED = {2: 2, 4: 3}  # upscaler, chosen by us


def per_picture(count_field: str) -> Callable[[Inputs, OfferedModel | None], int]:
    """The model's price times the number of pictures asked for."""

    def price(inputs: Inputs, model: OfferedModel | None) -> int:
        return (model.credits if model else 1) * int(inputs.get(count_field, 1))

    return price


def per_call(inputs: Inputs, model: OfferedModel | None) -> int:
    return model.credits if model else 1


def per_clip(inputs: Inputs, model: OfferedModel | None) -> int:
    """Scales with duration and resolution (generation page), rounded up to whole credits."""
    if model is None:
        return 1
    length = float(inputs.get("duration", model.seconds)) / model.seconds
    factor = RESOLUTION_FACTOR.get(str(inputs.get("resolution", "720p")), 1.0)
    return max(1, math.ceil(round(model.credits * length * factor, 6)))


def restyled_clip(inputs: Inputs, model: OfferedModel | None) -> int:
    return _CLIP[inputs.get("resolution", "720p")]


def enlarged_clip(inputs: Inputs, model: OfferedModel | None) -> int:
    return _CLIP_ENLARGED[inputs.get("resolution", "1080p")]


def enlarged_picture(inputs: Inputs, model: OfferedModel | None) -> int:
    return _ENLARGED[inputs.get("scale", 2)]
