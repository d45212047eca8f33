"""What requests ask for and results tell, and when the one contradicts the other."""

from __future__ import annotations

import pytest

from zenflow.engine.tracking.result_order import (
    MediaTraits,
    OrderVerdict,
    compare_order,
    traits_of_output,
    traits_of_request,
)


@pytest.mark.parametrize(
    ("params", "look"),
    [
        ({"prompt": "x"}, MediaTraits()),
        ({"ratio": "16:9"}, MediaTraits(ratio=16 / 9)),
        ({"aspect_ratio": "1024x512"}, MediaTraits(ratio=2.0)),
        ({"width": 300, "height": 600}, MediaTraits(ratio=0.5)),
        ({"ratio": "match_input_image", "width": True, "height": 600}, MediaTraits()),
        ({"duration": 5}, MediaTraits(seconds=5.0)),
        ({"duration": "10s", "output_format": "JPG"}, MediaTraits(seconds=10.0, kind="jpeg")),
        ({"duration": "auto", "seconds": None}, MediaTraits()),
    ],
)
def test_what_an_input_asks_for(params, look):
    assert traits_of_request(params) == look


@pytest.mark.parametrize(
    ("output", "look"),
    [
        (None, MediaTraits()),
        ("a text", MediaTraits()),
        ({"images": [{"width": 200, "height": 100, "content_type": "image/png"}]}, MediaTraits(2.0, None, "png")),
        ({"video": {"url": "https://x", "duration": 5.04}}, MediaTraits(None, 5.04, None)),
        ({"duration": 9.7}, MediaTraits()),  # of the making, for all that is known
        ({"request": {"width": 200, "height": 100}, "note": "see …"}, MediaTraits()),  # what was asked, said back
        ({"images": [{"width": 0, "height": 100}]}, MediaTraits()),
    ],
)
def test_what_an_output_tells(output, look):
    assert traits_of_output(output) == look


WIDE, HIGH, SQUARE = MediaTraits(ratio=16 / 9), MediaTraits(ratio=9 / 16), MediaTraits(ratio=1.0)


@pytest.mark.parametrize(
    ("asked", "told", "verdict"),
    [
        ((WIDE, HIGH), {0: WIDE, 1: HIGH}, OrderVerdict.FITS),
        ((WIDE, HIGH), {0: HIGH, 1: WIDE}, OrderVerdict.ELSEWHERE),
        ((WIDE, HIGH), {0: HIGH, 1: HIGH}, OrderVerdict.FITS),  # it makes what it likes
        ((WIDE, HIGH), {0: HIGH}, OrderVerdict.OPEN),
        ((WIDE, HIGH), {0: SQUARE, 1: WIDE}, OrderVerdict.FITS),  # fits nobody
        ((WIDE, WIDE), {0: HIGH, 1: HIGH}, OrderVerdict.FITS),
        ((WIDE, HIGH, SQUARE), {0: HIGH, 1: SQUARE, 2: WIDE}, OrderVerdict.ELSEWHERE),
        (
            (MediaTraits(seconds=5), MediaTraits(seconds=10)),
            {0: MediaTraits(seconds=9.8), 1: MediaTraits(seconds=5.2)},
            OrderVerdict.ELSEWHERE,
        ),
        (
            (MediaTraits(seconds=5), MediaTraits(seconds=6)),
            {0: MediaTraits(seconds=5.5), 1: MediaTraits(seconds=5.5)},
            OrderVerdict.FITS,
        ),
        (
            (MediaTraits(kind="png"), MediaTraits(kind="webp")),
            {0: MediaTraits(kind="webp"), 1: MediaTraits(kind="png")},
            OrderVerdict.ELSEWHERE,
        ),
    ],
)
def test_infers_order_only_from_each_others_results(asked, told, verdict):
    waiting = set(range(len(asked))) - told.keys()
    assert compare_order(0, asked, told, waiting)[0] is verdict


def test_a_result_is_not_waited_for_that_will_never_come():
    assert compare_order(0, (WIDE, HIGH), {0: HIGH}, set())[0] is OrderVerdict.FITS
