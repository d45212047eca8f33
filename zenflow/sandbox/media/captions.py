"""Captions: words on a picture, in Pillow's own typeface so that every machine draws the same."""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageDraw, ImageFont

Size = tuple[int, int]
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@cache
def typeface(points: int) -> _Font:
    return ImageFont.load_default(points)


def wrapped(text: str, font: _Font, width: int, most_lines: int) -> list[str]:
    """The text in lines no wider than `width`; what does not fit ends in an ellipsis."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if font.getlength(longer) <= width or not line:
            line = longer
            continue
        lines.append(line)
        line = word
    lines.append(line)
    if len(lines) > most_lines:
        lines = lines[:most_lines]
        lines[-1] = lines[-1][:-1].rstrip(" .,;") + "…"
    return [_clipped(entry, font, width) for entry in lines]


def _clipped(line: str, font: _Font, width: int) -> str:
    while line and font.getlength(line) > width:
        line = line[:-2].rstrip("…") + "…" if len(line) > 2 else ""
    return line


def captioned(picture: Image.Image, heading: str, text: str, footer: str) -> Image.Image:
    """The picture with a card at its lower edge: tool, prompt, and what it was made with."""
    width, height = picture.size
    unit = max(9, min(width, height) // 34)
    pad = unit
    small, middle = typeface(max(8, round(unit * 0.8))), typeface(unit)
    inner = width - 4 * pad
    if inner < 40 or height < 10 * unit:
        return picture
    body = wrapped(text, middle, inner, 4)
    card_height = round(unit * (1.5 + 1.35 * len(body) + 1.5)) + 2 * pad
    top = height - card_height - pad
    card = Image.new("L", (width - 2 * pad, card_height), 0)
    ImageDraw.Draw(card).rounded_rectangle((0, 0, card.width - 1, card.height - 1), radius=unit, fill=165)
    picture = picture.convert("RGB")
    picture.paste((16, 18, 26), (pad, top), card)
    pen = ImageDraw.Draw(picture)
    y = top + pad
    pen.text((2 * pad, y), _clipped(heading, small, inner), font=small, fill=(255, 205, 120))
    y += round(unit * 1.5)
    for line in body:
        pen.text((2 * pad, y), line, font=middle, fill=(245, 245, 248))
        y += round(unit * 1.35)
    pen.text((2 * pad, y + round(unit * 0.25)), _clipped(footer, small, inner), font=small, fill=(170, 178, 192))
    return picture
