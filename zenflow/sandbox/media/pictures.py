"""Drawn pictures: a pleasant background for a new one, a visible change for an edit, real pixels for an enlargement.

Pure functions of their arguments: the same dice give the same picture.
"""

from __future__ import annotations

import colorsys
import io
import random
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Size = tuple[int, int]
Colour = tuple[int, int, int]

_SAVED_AS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_DRAWN_AT_MOST = 1024  # larger pictures are drawn at this and enlarged: soft shapes lose nothing by it


def palette(dice: random.Random) -> list[Colour]:
    """Five colours that go together: neighbours on the wheel and one from across."""
    hue = dice.random()
    shades: list[Colour] = []
    for step, light in ((0.0, 0.30), (0.06, 0.45), (-0.07, 0.60), (0.12, 0.72), (0.52, 0.62)):
        red, green, blue = colorsys.hls_to_rgb((hue + step) % 1, light, 0.48)
        shades.append((round(red * 255), round(green * 255), round(blue * 255)))
    return shades


def background(size: Size, dice: random.Random) -> Image.Image:
    """A soft landscape: blended sky, a disc of light, ranges of hills."""
    scale = min(1.0, _DRAWN_AT_MOST / max(size))
    width, height = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    colours = palette(dice)
    sky = Image.new("RGB", (3, 3))
    sky.putdata([_towards(dice.choice(colours), (250, 240, 225), 0.25 + 0.2 * (cell // 3)) for cell in range(9)])
    picture = sky.resize((width, height), Image.Resampling.BICUBIC)
    _light(picture, dice, colours[4])
    for layer in range(4):
        _hills(picture, dice, _towards(colours[0], colours[2], 0.75 - 0.22 * layer), 0.45 + 0.13 * layer)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)


def _light(picture: Image.Image, dice: random.Random, colour: Colour) -> None:
    width, height = picture.size
    radius = max(2, round(min(width, height) * dice.uniform(0.09, 0.16)))
    x, y = round(width * dice.uniform(0.2, 0.8)), round(height * dice.uniform(0.15, 0.34))
    glow = Image.new("L", picture.size, 0)
    pen = ImageDraw.Draw(glow)
    for ring in range(6, 0, -1):
        reach = round(radius * (1 + ring * 0.28))
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=16 * (7 - ring))
    glow = glow.filter(ImageFilter.GaussianBlur(radius * 0.25))
    ImageDraw.Draw(glow).ellipse((x - radius, y - radius, x + radius, y + radius), fill=235)
    picture.paste(Image.new("RGB", picture.size, _towards(colour, (255, 246, 225), 0.6)), mask=glow)


def _hills(picture: Image.Image, dice: random.Random, colour: Colour, at: float) -> None:
    width, height = picture.size
    steps = 9
    points = [(round(width * step / (steps - 1)), height * (at + dice.uniform(-0.06, 0.06))) for step in range(steps)]
    line = [(x, round(_smooth(points, x))) for x in range(0, width + 1, max(1, width // 96))]
    ImageDraw.Draw(picture).polygon([(0, height), *line, (width, line[-1][1]), (width, height)], fill=colour)


def _smooth(points: list[tuple[int, float]], x: int) -> float:
    """A line through the points without corners."""
    for (left, low), (right, high) in pairwise(points):
        if left <= x <= right:
            part = (x - left) / max(1, right - left)
            part = part * part * (3 - 2 * part)
            return low + (high - low) * part
    return points[-1][1]


def _towards(colour: Colour, other: Colour, part: float) -> Colour:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def edited(references: list[Image.Image], size: Size, dice: random.Random) -> Image.Image:
    """The first reference, regraded; the others as small prints in the corner."""
    picture = ImageOps.fit(references[0].convert("RGB"), size, Image.Resampling.LANCZOS)
    shades = palette(dice)
    toned = ImageOps.colorize(
        ImageOps.grayscale(picture), shades[0], _towards(shades[3], (255, 250, 240), 0.6), shades[4]
    )
    picture = Image.blend(picture, toned, dice.uniform(0.35, 0.6))
    picture = ImageEnhance.Contrast(picture).enhance(dice.uniform(1.02, 1.2))
    if dice.random() < 0.5:
        picture = ImageOps.mirror(picture)
    picture = ImageChops.multiply(picture, _vignette(size))
    for place, other in enumerate(references[1:4]):
        _print_of(picture, other, place)
    return picture


def _vignette(size: Size) -> Image.Image:
    small = Image.radial_gradient("L").resize((64, 64))
    shade = small.point([255 - max(0, value - 110) // 2 for value in range(256)])
    return Image.merge("RGB", [shade.resize(size, Image.Resampling.BICUBIC)] * 3)


def _print_of(picture: Image.Image, other: Image.Image, place: int) -> None:
    side = max(16, min(picture.size) // 5)
    border = max(2, side // 24)
    small = ImageOps.expand(ImageOps.fit(other.convert("RGB"), (side, side)), border, (250, 248, 242))
    picture.paste(small, (border * 4 + place * (side + border * 5), border * 4))


def enlarged(picture: Image.Image, size: Size) -> Image.Image:
    """Real pixels: resampled and slightly sharpened."""
    larger = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    return larger.filter(ImageFilter.UnsharpMask(radius=1.6, percent=60, threshold=2))


def opened(body: bytes) -> Image.Image | None:
    """The picture in the bytes, upright; None where Pillow cannot read them (HEIC, for one)."""
    try:
        picture = Image.open(io.BytesIO(body))
        picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("RGBA", "LA", "P"):
        layered = upright.convert("RGBA")
        ground = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, layered).convert("RGB")
    return upright.convert("RGB")


def saved(picture: Image.Image, media_type: str) -> bytes:
    out = io.BytesIO()
    form = _SAVED_AS[media_type]
    if form == "PNG":
        picture.save(out, form, compress_level=1)  # quick rather than small
    else:
        picture.save(out, form, quality=90)
    return out.getvalue()


def preview_of(picture: Image.Image, longest: int = 512) -> bytes:
    """A reduced WebP, as the service's previews commonly are."""
    small = picture.convert("RGB")
    small.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=80)
    return out.getvalue()
