"""What an instance may do now: wait, be skipped, be blocked, or go with these parameters. Pure; asks nothing of anyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from zenflow.engine.expansion.scope import Blocked, scope_of
from zenflow.engine.model.instances import Instance
from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.template import Template
from zenflow.expr.tree import evaluate_tree, undecided_in, without_nulls
from zenflow.expr.values import SKIPPED, Pending

TOLERATES_MISSING_INPUTS = frozenset({"download", "preview"})
"""Actions that save what there is: one failed picture of 200 does not keep 199 from being saved."""

DEFERRED = {"download": ("asset_ids", "asset_id", "name"), "preview": ("asset_ids", "asset_id", "name")}
"""Parameters that are evaluated file by file, as the files come."""


@dataclass(frozen=True, slots=True)
class Wait:
    on: Pending


@dataclass(frozen=True, slots=True)
class Skip:
    reason: str


@dataclass(frozen=True, slots=True)
class Block:
    by: str


@dataclass(frozen=True, slots=True)
class Fail:
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Go:
    params: Mapping[str, Any]


Decision: TypeAlias = Wait | Skip | Block | Fail | Go


def decide(instance: Instance) -> Decision:
    """In the order of the language page: `foreach` has been, then `needs`, then `if`, then `with`."""
    try:
        return _needs(instance) or _condition(instance) or _parameters(instance)
    except Blocked as blocked:
        return Block(blocked.by)
    except ExpressionError as error:
        return Fail(error.code, error.message, error.hint or "")


def _needs(instance: Instance) -> Decision | None:
    """`needs` waits for all instances; skipped counts as done, failed blocks."""
    frame = instance.step.frame
    for name in instance.step.spec.needs:
        step = frame.steps[name]
        if not step.is_settled:
            return Wait(Pending(step.waiters))
        if step.blocked:
            return Block(step.path)
        for other in step.instances.values():
            if other.fails_readers:
                return Block(other.address)
    return None


def _condition(instance: Instance) -> Decision | None:
    written = instance.step.spec.if_
    if written is None or written is True:
        return None
    if written is False:
        return Skip("`if` is false")
    assert isinstance(written, Template)
    value = evaluate(written, scope_of(instance))
    if isinstance(value, Pending):
        return Wait(value)
    if value is SKIPPED:
        return Skip(f"`if: {written.text}` reads what was skipped")
    if value is True:
        return None
    if value is False:
        return Skip(f"`if: {written.text}` is false")
    return Fail("ZF332", f"`if` must give true or false, and `{written.text}` gave {value!r}", "Compare it: `… == …`.")


def _parameters(instance: Instance) -> Decision:
    spec = instance.step.spec
    deferred = DEFERRED.get(spec.uses, ())
    written = spec.with_
    if deferred:
        written = {name: value for name, value in written.items() if name not in deferred}
    tree = evaluate_tree(written, scope_of(instance))
    undecided = undecided_in(tree)
    if type(undecided) is Pending:
        return Wait(undecided)
    if undecided is SKIPPED:
        return Skip("a value that it reads was skipped")
    params = without_nulls(tree)
    return Go(params if instance.changes is None else {**params, **instance.changes})
