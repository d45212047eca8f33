"""A person at a desk on a test's stage: one life of a process that executes nothing, and decides or fetches."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.support.build import RUN_ID, Harness
from tests.support.clock import run_virtual
from tests.support.provider import ScriptedProvider
from zenflow.engine.maintenance.session import MaintenanceSession
from zenflow.engine.model.ports import Parts

T = TypeVar("T")


def maintenance_session(stage: Harness, act: Callable[[MaintenanceSession], Awaitable[T]]) -> T:
    """`act` on the stage's run, under its lease."""

    async def work() -> T:
        provider = ScriptedProvider(stage.service, stage.script)
        lease = stage.journal.take_lease(RUN_ID)
        parts = Parts(
            provider=provider,
            journal=stage.journal,
            lease=lease,
            store=stage.store,
            clock=stage.clock,
            limits=stage.limits,
            random_bytes=random.Random("desk").randbytes,
            per_day=stage.per_day,
        )
        session = MaintenanceSession(parts, await provider.account(), await provider.catalog())
        stage.provider = provider
        stage.providers.append(provider)
        try:
            return await act(session)
        finally:
            await session.close()
            stage.journal.release_lease(lease)

    return run_virtual(work(), stage.clock)
