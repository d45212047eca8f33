"""Words of the command line with a form of their own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from zenflow.cli.params.parsers import parse_resubmission
from zenflow.errors import UsageError


@pytest.mark.parametrize(
    ("word", "meant"), [("3", (3, None)), ("#3", (3, None)), ("3=8", (3, Decimal(8))), ("12=0.5", (12, Decimal("0.5")))]
)
def test_resends_within_what_is_set_aside_or_a_given_limit(word, meant):
    assert parse_resubmission(word) == meant


@pytest.mark.parametrize("word", ["", "x", "3=", "3=much", "3=-1", "=8"])
def test_a_word_that_names_no_submission_or_no_price_is_told(word):
    with pytest.raises(UsageError, match="--resubmit"):
        parse_resubmission(word)
