"""Every reference in the repository names a file and a heading that exist."""

from __future__ import annotations

from tests.support.references import problems


def test_no_reference_leads_nowhere() -> None:
    assert problems() == []
