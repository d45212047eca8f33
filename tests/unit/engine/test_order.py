"""What requests ask for and results tell, and when the one contradicts the other."""

from __future__ import annotations

import pytest

from zenflow.engine.tracking.order import Look, Verdict, asked_of, told_by, verdict_on


@pytest.mark.parametrize(
    ("params", "look"),
    [
        ({"prompt": "x"}, Look()),
        ({"ratio": "16:9"}, Look(ratio=16 / 9)),
        ({"aspect_ratio": "1024x512"}, Look(ratio=2.0)),
        ({"width": 300, "height": 600}, Look(ratio=0.5)),
        ({"ratio": "match_input_image", "width": True, "height": 600}, Look()),
        ({"duration": 5}, Look(seconds=5.0)),
        ({"duration": "10s", "output_format": "JPG"}, Look(seconds=10.0, kind="jpeg")),
        ({"duration": "auto", "seconds": None}, Look()),
    ],
)
def test_what_an_input_asks_for(params, look):
    assert asked_of(params) == look


@pytest.mark.parametrize(
    ("output", "look"),
    [
        (None, Look()),
        ("a text", Look()),
        ({"images": [{"width": 200, "height": 100, "content_type": "image/png"}]}, Look(2.0, None, "png")),
        ({"video": {"url": "https://x", "duration": 5.04}}, Look(None, 5.04, None)),
        ({"duration": 9.7}, Look()),  # of the making, for all that is known
        ({"request": {"width": 200, "height": 100}, "note": "see …"}, Look()),  # what was asked, said back
        ({"images": [{"width": 0, "height": 100}]}, Look()),
    ],
)
def test_what_an_output_tells(output, look):
    assert told_by(output) == look


WIDE, HIGH, SQUARE = Look(ratio=16 / 9), Look(ratio=9 / 16), Look(ratio=1.0)


@pytest.mark.parametrize(
    ("asked", "told", "verdict"),
    [
        ((WIDE, HIGH), {0: WIDE, 1: HIGH}, Verdict.FITS),
        ((WIDE, HIGH), {0: HIGH, 1: WIDE}, Verdict.ELSEWHERE),
        ((WIDE, HIGH), {0: HIGH, 1: HIGH}, Verdict.FITS),  # it makes what it likes
        ((WIDE, HIGH), {0: HIGH}, Verdict.OPEN),
        ((WIDE, HIGH), {0: SQUARE, 1: WIDE}, Verdict.FITS),  # fits nobody
        ((WIDE, WIDE), {0: HIGH, 1: HIGH}, Verdict.FITS),
        ((WIDE, HIGH, SQUARE), {0: HIGH, 1: SQUARE, 2: WIDE}, Verdict.ELSEWHERE),
        ((Look(seconds=5), Look(seconds=10)), {0: Look(seconds=9.8), 1: Look(seconds=5.2)}, Verdict.ELSEWHERE),
        ((Look(seconds=5), Look(seconds=6)), {0: Look(seconds=5.5), 1: Look(seconds=5.5)}, Verdict.FITS),
        ((Look(kind="png"), Look(kind="webp")), {0: Look(kind="webp"), 1: Look(kind="png")}, Verdict.ELSEWHERE),
    ],
)
def test_infers_order_only_from_each_others_results(asked, told, verdict):
    waiting = set(range(len(asked))) - told.keys()
    assert verdict_on(0, asked, told, waiting)[0] is verdict


def test_a_result_is_not_waited_for_that_will_never_come():
    assert verdict_on(0, (WIDE, HIGH), {0: HIGH}, set())[0] is Verdict.FITS
