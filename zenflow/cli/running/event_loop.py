"""From a command's ordinary function into the loop and back. Knows nothing of what is awaited there."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, for results of any size.

    Where it gives Ctrl-C back, Python 3.11 makes a message out of the finished task, and with it the text of everything
    that the task returns: a third of the time of a validation of 1,000 steps. Here the task returns nothing.
    """
    import asyncio  # 15 ms: the pages of `--help` await nothing

    results: list[T] = []

    async def keep_result() -> None:
        results.append(await work)

    asyncio.run(keep_result())
    return results[0]
