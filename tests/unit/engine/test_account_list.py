"""The account's transaction list, told in either order, read newest first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from zenflow.engine.reconciliation.transaction_list import NO_ROWS, AccountList, Page
from zenflow.providers.base import ServiceError, Transaction

PAGE = 3
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Told:
    """A list of `size` rows, three to a page; row 1 is the oldest."""

    def __init__(self, size: int, *, oldest_first: bool, times: bool = True, prefix: str = "r") -> None:
        self.size, self.oldest_first, self.times, self.prefix = size, oldest_first, times, prefix
        self.asked = list[int]()

    async def page(self, offset: int, limit: int, patient: bool) -> Page:
        self.asked.append(offset)
        numbers = range(1, self.size + 1) if self.oldest_first else range(self.size, 0, -1)
        cut = numbers[offset : offset + PAGE]
        rows = tuple(
            Transaction(f"{self.prefix}{n}", Decimal(-1), None, NOON + timedelta(seconds=n) if self.times else None)
            for n in cut
        )
        return rows, offset + PAGE if offset + PAGE < self.size else None


def down_to(told: Told, account_list: AccountList, floor: str) -> list[str]:
    return [row.transaction_id for row in asyncio.run(account_list.down_to(floor))]


@pytest.mark.parametrize("oldest_first", [False, True])
def test_finds_newest_rows_in_either_order(oldest_first: bool) -> None:
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


@pytest.mark.parametrize("oldest_first", [False, True])
def test_of_rows_that_tell_no_order_every_other_one_may_be_newer(oldest_first: bool) -> None:
    told = Told(8, oldest_first=oldest_first, times=False)
    account_list = AccountList(told.page)
    mark = asyncio.run(account_list.newest())
    told.size = 9
    assert "r9" in down_to(told, account_list, mark)
    assert sorted(down_to(told, account_list, "r6")) == ["r1", "r2", "r3", "r4", "r5", "r7", "r8", "r9"]
    with pytest.raises(ServiceError, match="no longer holds"):
        down_to(told, account_list, "gone")


@pytest.mark.parametrize("oldest_first", [False, True])
def test_ids_that_count_tell_the_order_where_times_do_not(oldest_first: bool) -> None:
    told = Told(8, oldest_first=oldest_first, times=False, prefix="")
    account_list = AccountList(told.page)
    assert asyncio.run(account_list.newest()) == "8"
    assert down_to(told, account_list, "6") == ["8", "7"]


def test_a_list_without_an_order_that_does_not_end_is_no_reading() -> None:
    told = Told(10**6, oldest_first=True, times=False)
    with pytest.raises(ServiceError, match="too long"):
        down_to(told, AccountList(told.page), "r1")
