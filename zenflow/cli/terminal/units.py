"""Durations and sizes in words."""

from __future__ import annotations


def span(seconds: float | None) -> str:
    """`4 s`, `2 min 05 s`, `1 h 20 min`; `–` when it is not known."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def size(count: int) -> str:
    """`812 B`, `1.4 MB`."""
    if count < 1000:
        return f"{count} B"
    amount = float(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 1000:
            return f"{amount:.0f} {unit}" if amount >= 100 else f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} TB"


def plural(number: int, noun: str) -> str:
    """`1 file`, `4 files`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
