"""From the mishaps of a submission to what becomes of its task."""

from __future__ import annotations

from zenflow.sandbox.faults import Rule, TriggeredFaults
from zenflow.sandbox.submission import PLAIN, FaultEffects

_LATER_S = 3600.0  # a refund that comes `later`, unless the rule gives seconds of its own


def fault_effects_of(faults: TriggeredFaults, total: int) -> FaultEffects:
    if not faults.rules:
        return PLAIN
    fails, endless = faults.first("call_fails", "partial"), faults.first("call_never_ends")
    price, hidden = faults.first("price_moves"), faults.first("hidden_task")
    return FaultEffects(
        price_shift=price.by if price else 0,
        failing=_places(fails, total),
        endless=_places(endless, total),
        refund_after_s=_refund_after_s(fails),
        hidden_s=hidden.seconds if hidden else 0.0,
        lost_outputs=faults.first("lost_outputs") is not None,
    )


def _places(rule: Rule | None, total: int) -> frozenset[int] | None:
    """The calls that a rule names; without names all of them, or the last one for `partial`."""
    if rule is None:
        return frozenset()
    if rule.calls:
        return frozenset(rule.calls)
    return frozenset({total - 1}) if rule.kind == "partial" else None


def _refund_after_s(rule: Rule | None) -> float | None:
    if rule is None or rule.refund == "now":
        return 0.0
    if rule.refund == "never":
        return None
    return rule.seconds if rule.seconds != Rule.__dataclass_fields__["seconds"].default else _LATER_S
