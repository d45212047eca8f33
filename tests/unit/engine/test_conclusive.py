"""What is evidence enough to send a request again (docs/money.md, “After a lost answer”)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from zenflow.engine.reconciliation.task_lookup import is_conclusive
from zenflow.history.events import LookupRecorded
from zenflow.history.state import SubmissionState

AT = "2026-11-21T08:00:00Z"
EARLY = LookupRecorded(AT, 1, True, False, True)
AFTER = LookupRecorded(AT, 1, True, True, True)
NO_CONTROL = LookupRecorded(AT, 1, False, True, True)
SEEN = LookupRecorded(AT, 1, False, True, True, ("task-of-another-copy",))
NOT_EXPLAINED = LookupRecorded(AT, 1, True, True, False)
NO_LIST = LookupRecorded(AT, 1, True, True, None)


@pytest.mark.parametrize(
    ("looks", "enough"),
    [
        ([], False),
        ([AFTER], False),
        ([EARLY, EARLY], False),
        ([EARLY, AFTER], True),
        ([EARLY, NO_CONTROL], False),
        ([EARLY, NOT_EXPLAINED], False),
        ([EARLY, NO_LIST], False),
        ([NO_CONTROL, EARLY, AFTER], True),
        ([EARLY, AFTER, SEEN], False),
        ([EARLY, AFTER, NO_CONTROL], False),
        ([EARLY, AFTER, SEEN, AFTER], True),
    ],
)
def test_needs_two_complete_empty_lookups(looks, enough):
    submission = SubmissionState(1, "tool", "stamp", "stamp", Decimal(2), AT, [], "row-1", lookups=list(looks))
    assert is_conclusive(submission) is enough
