"""The account's transaction list, told in either order, read newest first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from zenflow.engine.account_list import NO_ROWS, AccountList, Page
from zenflow.providers.base import ServiceError, Transaction

PAGE = 3
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Told:
    """A list of `size` rows, three to a page; row 1 is the oldest."""

    def __init__(self, size: int, *, oldest_first: bool, times: bool = True) -> None:
        self.size, self.oldest_first, self.times, self.asked = size, oldest_first, times, list[int]()

    async def page(self, offset: int, limit: int, patient: bool) -> Page:
        self.asked.append(offset)
        numbers = range(1, self.size + 1) if self.oldest_first else range(self.size, 0, -1)
        cut = numbers[offset : offset + PAGE]
        rows = tuple(
            Transaction(f"r{n}", Decimal(-1), None, NOON + timedelta(seconds=n) if self.times else None) for n in cut
        )
        return rows, offset + PAGE if offset + PAGE < self.size else None


def down_to(told: Told, account_list: AccountList, floor: str) -> list[str]:
    return [row.transaction_id for row in asyncio.run(account_list.down_to(floor))]


@pytest.mark.parametrize("oldest_first", [False, True])
def test_the_newest_row_and_all_above_a_floor_are_found_in_either_order(oldest_first: bool) -> None:
    told = Told(8, oldest_first=oldest_first)
    account_list = AccountList(told.page)
    assert asyncio.run(account_list.newest()) == "r8"
    assert down_to(told, account_list, "r8") == []
    told.size = 10
    assert down_to(told, account_list, "r8") == ["r10", "r9"]
    assert down_to(told, account_list, "r5") == ["r10", "r9", "r8", "r7", "r6"]
    assert down_to(told, account_list, NO_ROWS)[0] == "r10"


@pytest.mark.parametrize("oldest_first", [False, True])
def test_a_list_of_one_row_needs_no_order(oldest_first: bool) -> None:
    told = Told(1, oldest_first=oldest_first)
    account_list = AccountList(told.page)
    assert asyncio.run(account_list.newest()) == "r1"
    told.size = 2
    assert down_to(told, account_list, "r1") == ["r2"]


def test_an_oldest_first_list_is_read_on_from_where_its_end_was() -> None:
    told = Told(30, oldest_first=True)
    account_list = AccountList(told.page)
    assert asyncio.run(account_list.newest()) == "r30"
    told.asked.clear()
    assert down_to(told, account_list, "r30") == []
    assert told.asked == [29]


@pytest.mark.parametrize("oldest_first", [False, True])
def test_a_floor_that_is_gone_is_no_reading(oldest_first: bool) -> None:
    told = Told(8, oldest_first=oldest_first)
    with pytest.raises(ServiceError, match="no longer holds"):
        asyncio.run(AccountList(told.page).down_to("gone"))


def test_rows_without_times_are_taken_as_newest_first() -> None:
    told = Told(8, oldest_first=False, times=False)
    assert down_to(told, AccountList(told.page), "r6") == ["r8", "r7"]
