"""From a command's ordinary function into the loop and back. Knows nothing of what is awaited there."""

from __future__ import annotations

import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
PATIENCE_S = 1.0  # for the loop to notice a Ctrl-C by itself


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, for results of any size.

    Where it gives Ctrl-C back, Python 3.11 makes a message out of the finished task, and with it the text of everything
    that the task returns: a third of the time of a validation of 1,000 steps. Here the task returns nothing.
    """
    import asyncio  # 15 ms: the pages of `--help` await nothing

    results: list[T] = []

    async def keep_result() -> None:
        with _interruptible(asyncio.get_running_loop()):
            results.append(await work)

    asyncio.run(keep_result())
    return results[0]


@contextmanager
def _interruptible(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let Ctrl-C break work that never comes back to the loop: asyncio cancels the task, and that is heard at the next await.

    Where the loop does not answer within a second, the second signal is raised, which asyncio takes as KeyboardInterrupt.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    usual = signal.getsignal(signal.SIGINT)
    if not callable(usual):  # ignored, as in a script's background job
        yield
        return

    def at_once(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    def interrupted(number: int, frame: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
        loop.call_soon_threadsafe(signal.setitimer, signal.ITIMER_REAL, 0)  # the loop lives: nothing to break
        usual(number, frame)

    before = signal.signal(signal.SIGALRM, at_once)
    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if signal.getsignal(signal.SIGINT) is interrupted:
            signal.signal(signal.SIGINT, usual)
