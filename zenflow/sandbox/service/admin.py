"""Levers for tests: look at the world, add or clear mishaps, move the clock, move credits. Closed unless asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from zenflow.sandbox.faults import Faults, rules_from
from zenflow.sandbox.service.request_context import Services


def admin_routes(services: Services, faults: Faults, arrived: Callable[[], Counter[str]]) -> list[Route]:
    """`/admin/*` of one sandbox; `arrived` counts requests by tool."""

    async def state(request: Request) -> JSONResponse:
        counts = arrived()
        document: dict[str, Any] = {
            "requests": dict(counts),
            "create_task_posts": counts["create_task"],
            "faults": faults.report(),
            **services.world.dump(),
        }
        return JSONResponse(document)

    async def add_faults(request: Request) -> JSONResponse:
        try:
            rules = rules_from(await request.json())
        except (ValueError, RecursionError) as error:
            return JSONResponse({"error": str(error)}, 422)
        faults.add(rules)
        return JSONResponse({"added": len(rules)})

    async def clear_faults(request: Request) -> JSONResponse:
        faults.clear()
        return JSONResponse({"cleared": True})

    async def advance(request: Request) -> JSONResponse:
        given = await _number(request, "seconds")
        if given is None or given < 0:
            return JSONResponse({"error": 'expected {"seconds": a number, not negative}'}, 422)
        services.clock.advance(given)
        return JSONResponse({"now_s": services.clock.now_s()})

    async def credits(request: Request) -> JSONResponse:
        """Credits that come (above zero) or that another client of the account spends (below)."""
        given = await _number(request, "amount")
        if given is None or given != int(given):
            return JSONResponse({"error": 'expected {"amount": a whole number}'}, 422)
        services.world.adjust(int(given), "top_up" if given > 0 else "debit")
        return JSONResponse({"credits": services.world.balance()})

    async def revoke(request: Request) -> JSONResponse:
        """The account's owner takes back every sign-in."""
        if services.authorization is not None:
            services.authorization.revoke_all()
        return JSONResponse({"revoked": services.authorization is not None})

    return [
        Route("/admin/revoke", revoke, methods=["POST"]),
        Route("/admin/state", state, methods=["GET"]),
        Route("/admin/faults", add_faults, methods=["POST"]),
        Route("/admin/faults", clear_faults, methods=["DELETE"]),
        Route("/admin/advance", advance, methods=["POST"]),
        Route("/admin/credits", credits, methods=["POST"]),
    ]


async def _number(request: Request, name: str) -> float | None:
    try:
        document = await request.json()
    except (ValueError, RecursionError):
        return None
    value = document.get(name) if isinstance(document, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
