"""Draws the example photos of the recipes: a portrait and three products. Run by hand: `python recipes/photos/make.py`.

Everything is drawn here from curves and light; no photograph, no model and no person stands behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Point = tuple[float, float]
Colour = tuple[int, int, int]

HERE = Path(__file__).parent
FINE = 2  # drawn this much larger and reduced, for smooth edges


def curve(points: Sequence[Point], closed: bool = True, steps: int = 14) -> list[Point]:
    """A smooth line through the points (Catmull-Rom)."""
    count = len(points)
    spans = count if closed else count - 1
    line: list[Point] = []
    for span in range(spans):
        around = [span - 1, span, span + 1, span + 2]
        if closed:
            a, b, c, d = (points[index % count] for index in around)
        else:
            a, b, c, d = (points[min(max(index, 0), count - 1)] for index in around)
        for step in range(steps):
            t = step / steps
            line.append((_between(a[0], b[0], c[0], d[0], t), _between(a[1], b[1], c[1], d[1], t)))
    return line if closed else [*line, points[-1]]


def _between(a: float, b: float, c: float, d: float, t: float) -> float:
    bend = (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3
    return 0.5 * (2 * b + (c - a) * t + bend)


class Sheet:
    """A picture in the making, in units of the finished one."""

    def __init__(self, width: int, height: int, top: Colour, bottom: Colour) -> None:
        self.size = (width * FINE, height * FINE)
        self.picture = shaded(self.size, top, bottom)

    def shape(self, points: Sequence[Point], soft: float = 0) -> Image.Image:
        mask = Image.new("L", self.size, 0)
        ImageDraw.Draw(mask).polygon([(x * FINE, y * FINE) for x, y in points], fill=255)
        return mask.filter(ImageFilter.GaussianBlur(soft * FINE)) if soft else mask

    def disc(self, x: float, y: float, wide: float, high: float, soft: float = 0) -> Image.Image:
        mask = Image.new("L", self.size, 0)
        box = ((x - wide) * FINE, (y - high) * FINE, (x + wide) * FINE, (y + high) * FINE)
        ImageDraw.Draw(mask).ellipse(box, fill=255)
        return mask.filter(ImageFilter.GaussianBlur(soft * FINE)) if soft else mask

    def stroke(self, points: Sequence[Point], width: float, soft: float = 0) -> Image.Image:
        mask = Image.new("L", self.size, 0)
        pen = ImageDraw.Draw(mask)
        for x, y in curve(points, closed=False, steps=40):
            reach = width * FINE / 2
            pen.ellipse((x * FINE - reach, y * FINE - reach, x * FINE + reach, y * FINE + reach), fill=255)
        return mask.filter(ImageFilter.GaussianBlur(soft * FINE)) if soft else mask

    def paint(self, mask: Image.Image, top: Colour, bottom: Colour | None = None, strength: float = 1.0) -> None:
        """Fill what the mask shows, shaded from top to bottom of the mask."""
        if strength < 1:
            mask = mask.point([round(value * strength) for value in range(256)])
        box = mask.getbbox()
        if box is None:
            return
        layer = shaded((box[2] - box[0], box[3] - box[1]), top, bottom or top)
        self.picture.paste(layer, box[:2], mask.crop(box))

    def inside(self, mask: Image.Image, other: Image.Image) -> Image.Image:
        return ImageChops.multiply(mask, other)

    def save(self, name: str) -> None:
        finished = self.picture.resize((self.size[0] // FINE, self.size[1] // FINE), Image.Resampling.LANCZOS)
        finished.save(HERE / name, "JPEG", quality=88, optimize=True)


def shaded(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    strip = Image.new("RGB", (1, 2))
    strip.putpixel((0, 0), top)
    strip.putpixel((0, 1), bottom)
    return strip.resize(size, Image.Resampling.BILINEAR, box=(0, 0.5, 1, 1.5))


def portrait() -> None:
    sheet = Sheet(1024, 1365, (233, 205, 178), (196, 148, 122))
    sheet.paint(sheet.disc(300, 420, 520, 520, 160), (250, 232, 208), (236, 205, 178), 0.85)
    sheet.paint(sheet.disc(512, 560, 372, 372), (214, 128, 92), (226, 152, 112), 0.55)
    _hair_behind(sheet)
    _body(sheet)
    face = _face(sheet)
    _features(sheet, face)
    _hair_before(sheet)
    sheet.save("portrait.jpg")


def _hair_behind(sheet: Sheet) -> None:
    outline = [
        *[(512, 196), (660, 214), (764, 322), (800, 500), (806, 690), (772, 838), (690, 900)],
        *[(334, 900), (252, 838), (218, 690), (224, 500), (260, 322), (364, 214)],
    ]
    sheet.paint(sheet.shape(curve(outline)), (62, 38, 34), (40, 24, 26))


def _body(sheet: Sheet) -> None:
    neck = sheet.shape(curve([(432, 800), (592, 800), (600, 960), (690, 1040), (512, 1130), (334, 1040), (424, 960)]))
    sheet.paint(neck, (214, 158, 128), (226, 172, 140))
    shadow = sheet.shape(curve([(400, 800), (624, 800), (606, 900), (512, 962), (418, 900)]), 22)
    sheet.paint(sheet.inside(neck, shadow), (160, 104, 84), strength=0.75)
    shoulders = [
        *[(512, 1082), (610, 1062), (694, 1010), (806, 1054), (914, 1110), (992, 1240), (1040, 1500)],
        *[(-16, 1500), (32, 1240), (110, 1110), (218, 1054), (330, 1010), (414, 1062)],
    ]
    coat = sheet.shape(curve(shoulders))
    sheet.paint(coat, (44, 88, 92), (24, 54, 62))
    light = sheet.shape(curve([(140, 1110), (330, 1020), (420, 1120), (330, 1400), (60, 1420)]), 60)
    sheet.paint(sheet.inside(coat, light), (88, 140, 140), strength=0.55)
    for reach, tone in ((0, (32, 70, 76)), (26, (52, 100, 104))):
        collar = [
            (318, 1012 + reach),
            (400, 1070 + reach),
            (512, 1092 + reach),
            (624, 1070 + reach),
            (706, 1012 + reach),
        ]
        sheet.paint(sheet.inside(coat, sheet.stroke(collar, 34 - reach / 3)), tone)


def _face(sheet: Sheet) -> Image.Image:
    for side in (-1, 1):
        ear = sheet.disc(512 + side * 206, 610, 32, 54)
        sheet.paint(ear, (216, 158, 130), (200, 140, 114))
        sheet.paint(sheet.disc(512 + side * 214, 678, 9, 9), (244, 208, 128), (206, 160, 84))
    outline = [
        *[(512, 246), (624, 300), (694, 424), (706, 570), (684, 700), (612, 812), (512, 862)],
        *[(412, 812), (340, 700), (318, 570), (330, 424), (400, 300)],
    ]
    face = sheet.shape(curve(outline))
    sheet.paint(face, (240, 192, 160), (230, 174, 142))
    dark = sheet.shape(curve([(640, 320), (740, 420), (740, 700), (600, 870), (520, 880), (640, 720), (668, 540)]), 34)
    sheet.paint(sheet.inside(face, dark), (186, 120, 98), strength=0.55)
    sheet.paint(sheet.inside(face, sheet.disc(420, 500, 110, 150, 60)), (255, 222, 194), strength=0.7)
    for x in (404, 618):
        sheet.paint(sheet.inside(face, sheet.disc(x, 676, 54, 38, 24)), (232, 124, 104), strength=0.42)
    return face


def _features(sheet: Sheet, face: Image.Image) -> None:
    for side in (-1, 1):
        _eye(sheet, side)
    nose = [(526, 560), (536, 620), (548, 672), (528, 694), (502, 696)]
    sheet.paint(sheet.stroke(nose, 7, 2), (178, 112, 92), strength=0.75)
    sheet.paint(sheet.disc(506, 650, 13, 42, 12), (255, 226, 202), strength=0.7)
    for x in (486, 536):
        sheet.paint(sheet.disc(x, 694, 9, 5, 2), (160, 92, 78), strength=0.6)
    upper = curve([(432, 758), (478, 746), (512, 754), (546, 746), (592, 758), (512, 780)])
    lower = curve([(432, 758), (512, 780), (592, 758), (562, 798), (512, 812), (462, 798)])
    sheet.paint(sheet.shape(lower), (206, 96, 92), (190, 80, 82))
    sheet.paint(sheet.shape(upper), (176, 70, 74))
    sheet.paint(sheet.disc(504, 792, 34, 6, 5), (244, 160, 150), strength=0.6)
    sheet.paint(sheet.stroke([(424, 750), (466, 768), (512, 774), (558, 768), (600, 750)], 4, 1), (120, 42, 50))


def _eye(sheet: Sheet, side: int) -> None:
    def at(points: Sequence[Point]) -> list[Point]:
        return [(512 + side * x, y) for x, y in points]

    sheet.paint(sheet.disc(512 + side * 94, 566, 66, 30, 14), (196, 128, 108), strength=0.5)
    white = sheet.shape(curve(at([(44, 584), (70, 564), (100, 558), (132, 568), (150, 580), (122, 600), (80, 602)])))
    sheet.paint(white, (252, 246, 240), (240, 228, 220))
    iris = sheet.inside(white, sheet.disc(512 + side * 97, 578, 25, 26))
    sheet.paint(iris, (74, 52, 40), (128, 88, 58))
    sheet.paint(sheet.inside(white, sheet.disc(512 + side * 97, 577, 11, 12)), (24, 16, 16))
    sheet.paint(sheet.disc(512 + side * 97 - 8, 569, 6, 6), (255, 255, 255))
    lid = at([(40, 586), (68, 563), (100, 555), (134, 565), (160, 574)])
    sheet.paint(sheet.stroke(lid, 9), (48, 28, 28))
    sheet.paint(sheet.stroke(at([(56, 548), (98, 536), (142, 548)]), 4, 1.5), (170, 106, 90), strength=0.8)
    sheet.paint(sheet.stroke(at([(38, 506), (82, 492), (126, 494), (164, 516)]), 14, 2), (66, 40, 36))


def _hair_before(sheet: Sheet) -> None:
    left = [
        *[(540, 232), (470, 300), (390, 372), (340, 468), (318, 600), (322, 740), (300, 880), (232, 850)],
        *[(210, 700), (216, 500), (256, 322), (364, 212), (470, 186)],
    ]
    right = [
        *[(500, 226), (596, 292), (668, 378), (700, 480), (712, 610), (706, 740), (730, 884), (796, 846)],
        *[(818, 700), (810, 500), (772, 322), (668, 214), (560, 184)],
    ]
    for points in (right, left):
        sheet.paint(sheet.shape(curve(points)), (84, 52, 44), (52, 31, 31))
    strands = (
        [(520, 210), (400, 270), (300, 400), (262, 620), (264, 820)],
        [(500, 214), (376, 296), (296, 450), (284, 650), (276, 800)],
        [(540, 206), (660, 268), (744, 400), (768, 620), (764, 820)],
        [(546, 214), (670, 300), (738, 470), (744, 660), (752, 810)],
    )
    for points in strands:
        sheet.paint(sheet.stroke(points, 13, 6), (146, 98, 78), strength=0.5)


def _table(wall: tuple[Colour, Colour], top: tuple[Colour, Colour]) -> Sheet:
    sheet = Sheet(1024, 1024, *wall)
    sheet.paint(sheet.disc(360, 320, 460, 420, 150), (255, 252, 244), strength=0.5)
    sheet.paint(sheet.shape([(0, 760), (1024, 760), (1024, 1024), (0, 1024)]), *top)
    sheet.paint(sheet.shape([(0, 756), (1024, 756), (1024, 766), (0, 766)], 3), top[0], strength=0.8)
    return sheet


def mug() -> None:
    sheet = _table(((214, 226, 224), (190, 208, 206)), ((188, 148, 112), (150, 110, 80)))
    sheet.paint(sheet.disc(560, 846, 300, 44, 26), (86, 58, 42), strength=0.6)
    handle = ImageChops.subtract(sheet.disc(690, 590, 136, 150), sheet.disc(690, 590, 84, 98))
    sheet.paint(handle, (198, 84, 60), (156, 58, 44))
    outline = [
        (286, 400),
        (710, 400),
        (708, 560),
        (694, 740),
        (664, 826),
        (600, 848),
        (396, 848),
        (332, 826),
        (302, 740),
        (288, 560),
    ]
    cup = sheet.shape([(286, 404), (710, 404), *curve(outline[2:-1], closed=False), (288, 560)])
    sheet.paint(cup, (226, 106, 76), (190, 76, 56))
    sheet.paint(
        sheet.inside(cup, sheet.shape([(590, 380), (760, 380), (760, 880), (620, 880)], 50)),
        (120, 40, 34),
        strength=0.6,
    )
    sheet.paint(
        sheet.inside(cup, sheet.shape([(326, 380), (372, 380), (392, 820), (356, 820)], 14)),
        (255, 196, 168),
        strength=0.7,
    )
    sheet.paint(
        sheet.inside(cup, sheet.shape([(270, 620), (730, 620), (730, 690), (270, 690)])),
        (246, 226, 200),
        (236, 206, 176),
    )
    sheet.paint(sheet.disc(498, 402, 212, 46), (238, 130, 100), (214, 100, 76))
    sheet.paint(sheet.disc(498, 406, 192, 37), (110, 52, 40), (150, 70, 52))
    sheet.paint(sheet.inside(sheet.disc(498, 406, 192, 37), sheet.disc(498, 424, 180, 34)), (64, 36, 26), (92, 54, 36))
    for x, bend in ((440, -26), (510, 30), (572, -22)):
        steam = [(x, 350), (x + bend, 290), (x - bend, 220), (x + bend, 150), (x, 96)]
        sheet.paint(sheet.stroke(steam, 22, 14), (255, 255, 255), strength=0.55)
    sheet.save("mug.jpg")


def lamp() -> None:
    sheet = _table(((52, 62, 86), (84, 92, 116)), ((112, 82, 70), (74, 52, 50)))
    sheet.paint(sheet.disc(512, 470, 440, 380, 130), (255, 204, 128), strength=0.75)
    sheet.paint(sheet.shape([(360, 470), (664, 470), (900, 800), (124, 800)], 50), (255, 222, 150), strength=0.5)
    sheet.paint(sheet.disc(512, 856, 330, 60, 30), (255, 206, 140), strength=0.5)
    sheet.paint(sheet.disc(540, 868, 190, 26, 16), (40, 26, 26), strength=0.7)
    sheet.paint(sheet.shape([(498, 440), (526, 440), (530, 850), (494, 850)]), (196, 150, 92), (140, 98, 58))
    sheet.paint(sheet.shape([(502, 440), (508, 440), (508, 850), (502, 850)], 1.5), (255, 228, 170), strength=0.8)
    sheet.paint(sheet.disc(512, 856, 140, 30), (120, 84, 52), (84, 58, 40))
    sheet.paint(sheet.disc(512, 848, 140, 30), (206, 162, 104), (160, 116, 70))
    shade = sheet.shape(
        [(392, 210), (632, 210), *curve([(742, 478), (630, 500), (512, 506), (394, 500), (282, 478)], closed=False)]
    )
    sheet.paint(shade, (250, 214, 160), (255, 240, 200))
    sheet.paint(sheet.inside(shade, sheet.disc(512, 430, 130, 130, 60)), (255, 255, 238), strength=0.95)
    for x in range(-5, 6):
        pleat = [(512 + x * 22, 212), (512 + x * 41, 504)]
        sheet.paint(sheet.inside(shade, sheet.stroke(pleat, 4, 2)), (206, 150, 96), strength=0.55)
    sheet.paint(sheet.disc(512, 210, 120, 14), (214, 166, 112), (240, 200, 150))
    sheet.save("lamp.jpg")


def chair() -> None:
    sheet = _table(((232, 220, 204), (214, 196, 176)), ((170, 150, 134), (132, 112, 100)))
    sheet.paint(sheet.disc(540, 900, 330, 46, 26), (70, 54, 48), strength=0.6)
    wood: tuple[Colour, Colour] = ((176, 116, 72), (120, 74, 44))
    legs: tuple[list[Point], ...] = (
        [(364, 560), (392, 560), (376, 800), (356, 800)],
        [(636, 560), (664, 560), (672, 800), (652, 800)],
        [(308, 610), (344, 610), (318, 906), (292, 906)],
        [(690, 610), (726, 610), (738, 906), (712, 906)],
    )
    for leg in legs:
        sheet.paint(sheet.shape(leg), *wood)
    for x in (330, 676):
        sheet.paint(sheet.shape([(x, 250), (x + 26, 250), (x + 30, 600), (x - 4, 600)]), *wood)
    back = sheet.shape(
        curve([(322, 168), (512, 148), (710, 168), (728, 290), (704, 420), (512, 436), (326, 420), (302, 290)])
    )
    sheet.paint(back, (62, 124, 118), (40, 92, 92))
    sheet.paint(sheet.inside(back, sheet.disc(420, 220, 130, 70, 50)), (124, 186, 174), strength=0.7)
    seat = sheet.shape(
        curve([(330, 540), (512, 526), (694, 540), (752, 596), (744, 640), (512, 656), (286, 640), (278, 596)])
    )
    sheet.paint(seat, (74, 138, 130), (36, 84, 86))
    sheet.paint(sheet.inside(seat, sheet.disc(440, 556, 200, 26, 24)), (140, 200, 186), strength=0.7)
    sheet.paint(sheet.stroke([(284, 622), (512, 640), (748, 622)], 5, 1.5), (26, 66, 68), strength=0.8)
    for x, y in ((430, 236), (512, 230), (594, 236), (470, 320), (554, 320)):
        sheet.paint(sheet.disc(x, y + 4, 13, 10, 5), (24, 64, 66), strength=0.8)
        sheet.paint(sheet.disc(x, y, 8, 8), (92, 156, 148), (52, 108, 106))
    sheet.save("chair.jpg")


PICTURES: tuple[Callable[[], None], ...] = (portrait, mug, lamp, chair)

if __name__ == "__main__":
    for draw in PICTURES:
        draw()
