"""The account's transaction list read newest first, whichever way round the service tells it.

The documentation leaves the order open (docs/service.md, “Account”). Read the wrong way, the newest row seen would
be the oldest
there is, and a debit nobody knows of would pass unseen: the second witness of docs/money.md would testify to nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from zenflow.providers.base import ServiceError, Transaction

PAGE = 100
MOST_PAGES = 50
NO_ROWS = ""  # a watermark on an empty list: everything that comes is newer

Page = tuple[tuple[Transaction, ...], int | None]
"""Rows as the service orders them, and where the next page begins."""


class AccountList:
    """Knows where the last row of an oldest-first list stood: such a list only grows at its end."""

    def __init__(self, page: Callable[[int, int, bool], Awaitable[Page]]) -> None:
        self._page = page  # offset, limit, patient
        self._places: dict[str, int] = {}
        self.is_ordered = True  # the last reading told which end of the list is new

    async def newest(self) -> str:
        """The id of the newest row, NO_ROWS when there is none. Raises ServiceError."""
        rows, following = await self._page(0, PAGE, True)
        oldest_first = is_oldest_first(rows)
        self.is_ordered = oldest_first is not None
        if oldest_first:
            rows = tuple(await self._after(NO_ROWS, 0, (rows, following), True))
        return rows[0].transaction_id if rows else NO_ROWS

    async def down_to(self, floor: str, patient: bool = True) -> list[Transaction]:
        """Rows newer than `floor`, newest first. Raises ServiceError."""
        place = self._places.get(floor)
        if place is not None:
            page = await self._page(place, PAGE, patient)
            if page[0] and page[0][0].transaction_id == floor:
                return await self._after(floor, place, page, patient)
        first = await self._page(0, PAGE, patient)
        oldest_first = is_oldest_first(first[0])
        self.is_ordered = oldest_first is not None
        if oldest_first is None:
            return await self._around(floor, first, patient)
        if oldest_first:
            return await self._after(floor, 0, first, patient)
        return await self._before(floor, first, patient)

    async def _around(self, floor: str, page: Page, patient: bool) -> list[Transaction]:
        """A list that does not tell which end is new: everything but the floor may be newer than it. Too much, never too
        little: each debit of it must be somebody's."""
        rows: list[Transaction] = []
        for _ in range(MOST_PAGES):
            rows += page[0]
            if page[1] is None or not page[0]:
                break
            page = await self._page(page[1], PAGE, patient)
        else:
            raise ServiceError("server", "the transaction list is too long to be read to its end")
        kept = [row for row in rows if row.transaction_id != floor]
        if floor != NO_ROWS and len(kept) == len(rows):
            raise ServiceError("server", "the transaction list no longer holds the row we had seen")
        return kept

    async def _before(self, floor: str, page: Page, patient: bool) -> list[Transaction]:
        """The way a newest-first list is read: from its head to the floor."""
        found: list[Transaction] = []
        for _ in range(MOST_PAGES):
            rows, following = page
            for row in rows:
                if row.transaction_id == floor:
                    return found
                found.append(row)
            if following is None or not rows:
                break
            page = await self._page(following, PAGE, patient)
        if floor != NO_ROWS:
            raise ServiceError("server", "the transaction list no longer holds the row we had seen")
        return found

    async def _after(self, floor: str, offset: int, page: Page, patient: bool) -> list[Transaction]:
        """The way an oldest-first list is read: on to its end, and what comes after the floor turned round."""
        found: list[Transaction] = []
        seen, last = floor == NO_ROWS, (floor, offset)
        for _ in range(MOST_PAGES):
            rows, following = page
            for place, row in enumerate(rows, offset):
                if seen:
                    found.append(row)
                seen = seen or row.transaction_id == floor
                last = row.transaction_id, place
            if following is None or not rows:
                break
            offset, page = following, await self._page(following, PAGE, patient)
        else:
            raise ServiceError("server", "the transaction list is too long to be read to its end")
        if not seen:
            raise ServiceError("server", "the transaction list no longer holds the row we had seen")
        self._places[last[0]] = last[1]
        return found[::-1]


def is_oldest_first(rows: Sequence[Transaction]) -> bool | None:
    """Told by the times of the first and last row that have one, else by ids that count; None: it cannot be told."""
    times = [row.created_at for row in rows if row.created_at is not None]
    if len(times) > 1 and times[0] != times[-1]:
        return times[0] < times[-1]
    numbers = [int(row.transaction_id) for row in rows if row.transaction_id.isdecimal()]
    if len(numbers) > 1 and len(numbers) == len(rows):
        return numbers[0] < numbers[-1]
    return False if len(rows) < 2 else None
