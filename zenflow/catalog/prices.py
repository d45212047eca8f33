"""Questions about prices, and the answers collected. Which questions are equal is decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from zenflow.credits import Credits
from zenflow.ids import digest_of

PLACEHOLDER_ASSET = "00000000-0000-4000-8000-000000000000"
"""Stands for an asset that is not made yet when its price must be asked for (docs/money.md, “Budget”)."""


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """One price question: the flat parameters of one call. `key` is equal for questions with equal answers."""

    tool: str
    params: Mapping[str, Any] = field(hash=False, compare=False)
    key: str
    placeholder: bool = field(default=False, compare=False)  # an asset or a value in it is not the real one


@dataclass(frozen=True, slots=True)
class Quote:
    """An answer. `credits` None: the service gave no price, and `refusal` says why.

    `declined`: it would not take the call itself, so that no price limit helps.
    """

    credits: Credits | None
    asked_at: datetime
    refusal: str | None = None
    refusal_status: int | None = None
    placeholder: bool = False
    violations: tuple[str, ...] = ()  # of a refusal, where the service lists them
    declined: bool = False


class PriceSource(Protocol):
    """All that planning may ask of a service. It holds nothing that could submit (promise 2)."""

    async def quote(self, price_request: PriceRequest) -> Quote:
        """The price of one call (docs/service.md, “Generation”, `estimate_price`). Refusals are answers; transport
        trouble raises."""
        ...


class PriceBook:
    """Quotes by question key. Equal questions are asked once."""

    def __init__(self, quotes: Mapping[str, Quote] | None = None) -> None:
        self._quotes: dict[str, Quote] = dict(quotes or {})
        self._price_requests: dict[str, PriceRequest] = {}

    def add(self, price_request: PriceRequest, quote: Quote) -> None:
        self._quotes[price_request.key] = quote
        self._price_requests[price_request.key] = price_request

    def find(self, price_request: PriceRequest) -> Quote | None:
        return self._quotes.get(price_request.key)

    def missing(self, price_requests: Iterable[PriceRequest]) -> list[PriceRequest]:
        """The distinct questions that have no answer yet, in order. What was told for a stand-in is no answer to a real one."""
        unanswered: dict[str, PriceRequest] = {}
        for price_request in price_requests:
            known = self._quotes.get(price_request.key)
            if known is None or (known.placeholder and not price_request.placeholder):
                asked = unanswered.setdefault(price_request.key, price_request)
                unanswered[price_request.key] = price_request if asked.placeholder else asked
        return list(unanswered.values())

    @property
    def quotes(self) -> Mapping[str, Quote]:
        """Every answer, by question key."""
        return self._quotes

    @property
    def price_requests(self) -> Mapping[str, PriceRequest]:
        """What was asked, by key: which tool and model an answer is about."""
        return self._price_requests

    def __len__(self) -> int:
        return len(self._quotes)


def price_request_key(tool: str, params: Mapping[str, Any], free_fields: frozenset[str]) -> str:
    """The digest of what may move the price: `free_fields` are replaced by whether and how often they are there."""
    return digest_of([tool, {k: (_shape(v) if k in free_fields else v) for k, v in params.items()}])


def _shape(value: Any) -> Any:
    return ["*", len(value)] if isinstance(value, list) else ["*"]
