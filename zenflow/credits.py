"""Amounts of credits, exact, and estimates of them.

The service shows whole credits (docs/service.md, “Generation”, `price`), but nothing promises that: amounts are
`Decimal`, so that
a quote of 0.1 thirty times is 3. An unknown price is `None`, a third answer beside zero and some; it never becomes
a number here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

Credits = Decimal

ZERO = Decimal(0)
LARGEST = Decimal(10**15)
"""What is larger, up or down, is not an amount: no account holds it, and sums of it lose their last digits."""


def credits_from(value: Any) -> Credits | None:
    """The amount in a JSON value of the service, or None when it holds no number (a boolean is none)."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and -LARGEST <= amount <= LARGEST else None


def price_from(value: Any) -> Credits | None:
    """The price in a JSON value of the service: an amount that is not below zero, or None."""
    amount = credits_from(value)
    return amount if amount is not None and amount >= 0 else None


def as_number(amount: Credits | None) -> int | float | None:
    """The JSON form: a whole amount is an integer, unknown is null."""
    if amount is None:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def as_text(amount: Credits | None) -> str:
    """The amount for people: no trailing zeros, `?` when unknown."""
    return "?" if amount is None else str(as_number(amount))


def in_words(amount: Credits | None) -> str:
    """The amount with its unit: `1 credit`, `6 credits`, `? credits`."""
    return f"{as_text(amount)} credit{'' if amount == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """Low, expected and worst total of credits (docs/language.md, “Budget and policy”)."""

    low: Credits = ZERO
    expected: Credits = ZERO
    worst: Credits = ZERO

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(self.low + other.low, self.expected + other.expected, self.worst + other.worst)

    @property
    def exact(self) -> bool:
        return self.low == self.expected == self.worst


def as_numbers(estimate: Estimate) -> dict[str, int | float | None]:
    """The JSON form of an estimate."""
    return {
        "low": as_number(estimate.low),
        "expected": as_number(estimate.expected),
        "worst": as_number(estimate.worst),
    }
