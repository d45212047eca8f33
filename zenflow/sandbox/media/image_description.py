"""A factual description of a picture, from its pixels: size, shape, light, colours, and where detail lies."""

from __future__ import annotations

from PIL import Image, ImageFilter, ImageStat

_NAMES = {
    "black": (20, 20, 20),
    "white": (245, 245, 245),
    "grey": (128, 128, 128),
    "red": (200, 40, 40),
    "orange": (230, 130, 40),
    "yellow": (235, 215, 80),
    "green": (60, 140, 70),
    "teal": (40, 140, 140),
    "blue": (50, 90, 190),
    "navy": (25, 35, 90),
    "purple": (120, 70, 160),
    "pink": (230, 150, 175),
    "brown": (120, 80, 50),
    "beige": (222, 205, 175),
    "cream": (248, 238, 215),
}
_PARTS = (
    "upper left",
    "upper middle",
    "upper right",
    "left",
    "centre",
    "right",
    "lower left",
    "lower middle",
    "lower right",
)


def described(picture: Image.Image, media_type: str) -> str:
    """About 80 to 120 words, and nothing that is not in the pixels."""
    width, height = picture.size
    small = picture.convert("RGB").resize((96, 96), Image.Resampling.BOX)
    light = ImageStat.Stat(small.convert("L"))
    brightness, contrast = light.mean[0], light.stddev[0]
    first, *others = _colours(small)
    subject = _PARTS[_busiest(small)]
    return (
        f"A {_shape(width, height)} image of {width} by {height} pixels ({media_type}). The overall light is "
        f"{_light(brightness)}, with an average brightness of {round(brightness / 2.55)} percent and "
        f"{_contrast(contrast)} contrast. The dominant colour is {first}, followed by "
        f"{' and '.join(others) or 'little else'}. Colours read as {_warmth(small)}. Most of the detail, and so most "
        f"likely the subject, lies in the {subject} of the frame, while the calmest area, which reads as background, "
        f"lies in the {_PARTS[_calmest(small)]}. Framing suits a {_framing(width, height)}. "
        "This description was measured from the pixels by the sandbox; it names no persons and guesses no identity, "
        "clothing, or mood."
    )


def _shape(width: int, height: int) -> str:
    if width > height * 1.05:
        return "landscape"
    return "portrait-format" if height > width * 1.05 else "square"


def _framing(width: int, height: int) -> str:
    return {"landscape": "wide scene", "portrait-format": "standing figure or a half-length portrait"}.get(
        _shape(width, height), "centred subject"
    )


def _light(brightness: float) -> str:
    return "dark" if brightness < 70 else "dim" if brightness < 110 else "balanced" if brightness < 165 else "bright"


def _contrast(spread: float) -> str:
    return "low" if spread < 35 else "moderate" if spread < 65 else "strong"


def _warmth(small: Image.Image) -> str:
    red, _, blue = ImageStat.Stat(small).mean
    return "warm" if red > blue + 12 else "cool" if blue > red + 12 else "neutral"


def _colours(small: Image.Image) -> list[str]:
    """Up to three names, the most frequent first."""
    few = small.quantize(8, Image.Quantize.MEDIANCUT)
    table = few.getpalette() or []
    counts = sorted(enumerate(few.histogram()[:8]), key=lambda entry: -entry[1])
    seen = [index for index, count in counts if count]
    names = [_nearest((table[3 * index], table[3 * index + 1], table[3 * index + 2])) for index in seen]
    return list(dict.fromkeys(names))[:3]


def _nearest(colour: tuple[int, int, int]) -> str:
    return min(_NAMES, key=lambda name: sum((a - b) ** 2 for a, b in zip(colour, _NAMES[name], strict=True)))


def _detail(small: Image.Image) -> list[float]:
    edges = small.convert("L").filter(ImageFilter.FIND_EDGES)
    boxes = [(32 * column, 32 * row, 32 * column + 32, 32 * row + 32) for row in range(3) for column in range(3)]
    return [ImageStat.Stat(edges.crop((box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1))).mean[0] for box in boxes]


def _busiest(small: Image.Image) -> int:
    detail = _detail(small)
    return detail.index(max(detail))


def _calmest(small: Image.Image) -> int:
    detail = _detail(small)
    return detail.index(min(detail))
