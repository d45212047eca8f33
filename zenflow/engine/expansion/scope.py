"""What expressions see while a run goes: `steps`, `item`, `index`, `origin`, `previous` (rules 14 to 20).

A name that is not known yet answers `Pending`, whose `on` is the list of waiters to join. Reading what has failed raises
`Blocked`, which `readiness` turns into a blocked reader. Readers that tolerate missing
inputs (`download`, `preview`, `outputs`) take what exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zenflow.engine.model.instances import Frame, Instance, Status, StepRun
from zenflow.expr.values import SKIPPED, Pending, Unknown, Value
from zenflow.plan.analysis.scope import no_instance


class Blocked(Exception):
    """A value will not come because `by` failed."""

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by


def scope_of(instance: Instance, *, tolerates_missing: bool = False) -> dict[str, Value]:
    """Every name that the expressions of one instance may use."""
    frame = instance.step.frame
    names = dict(frame.names)
    names["steps"] = StepsLookup(frame, tolerates_missing)
    if instance.step.fans_out:
        names["item"] = instance.item
        names["index"] = instance.index
        names["origin"] = OriginLookup(instance.source, tolerates_missing)
        names["previous"] = PreviousLookup(instance)
    return names


def frame_scope(frame: Frame, *, tolerates_missing: bool = False) -> dict[str, Value]:
    """The names outside any instance: for `foreach` and `outputs`."""
    return {**frame.names, "steps": StepsLookup(frame, tolerates_missing)}


@dataclass(slots=True, eq=False)
class StepsLookup:
    frame: Frame
    tolerates_missing: bool

    def get(self, key: str | int) -> Value:
        step = self.frame.steps.get(key) if isinstance(key, str) else None
        if step is None:
            raise Unknown(key, self.keys(), "steps")
        return (
            ManyLookup(step, self.tolerates_missing)
            if step.fans_out
            else OneLookup(step.single, self.tolerates_missing)
        )

    def value(self) -> Value:
        raise Unknown("steps", self.keys(), "a value")

    def keys(self) -> Sequence[str]:
        return list(self.frame.steps)


@dataclass(slots=True, eq=False)
class OneLookup:
    """One instance: `steps.upload`, `steps.generate[2]`, `origin.generate`."""

    instance: Instance
    tolerates_missing: bool
    with_item: bool = False  # `origin.ID` also answers `.item` and `.index`

    def get(self, key: str | int) -> Value:
        if self.with_item and key == "item":
            return self.instance.item
        if self.with_item and key == "index":
            return self.instance.index
        results = self._results()
        if not isinstance(results, Mapping):
            return results
        if key not in results:
            raise Unknown(key, list(results), f"steps.{self.instance.step.spec.id}")
        value: Value = results[str(key)]
        return value

    def value(self) -> Value:
        results = self._results()
        return dict(results) if isinstance(results, Mapping) else results

    def keys(self) -> Sequence[str]:
        return list(self.instance.results or ())

    def _results(self) -> Mapping[str, Any] | Pending | Any:
        instance = self.instance
        if instance.status is Status.DONE:
            return instance.answers
        if not instance.is_over:
            return Pending(instance.waiters)
        if self.tolerates_missing:
            return _without_gaps(instance.available_results)
        if instance.fails_readers:
            raise Blocked(instance.address)
        return SKIPPED


def _without_gaps(available_results: Mapping[str, Any] | None) -> Mapping[str, Any] | Any:
    """What there is of one that is not done: the rest reads as skipped."""
    return (
        SKIPPED
        if available_results is None
        else {name: SKIPPED if one is None else one for name, one in available_results.items()}
    )


@dataclass(slots=True, eq=False)
class ManyLookup:
    """A step with `foreach`: a field of it is a list, a number is one instance (rule 20)."""

    step: StepRun
    tolerates_missing: bool

    def get(self, key: str | int) -> Value:
        if isinstance(key, int):
            return self._one(key)
        if not self.step.is_settled:
            return Pending(self.step.waiters)
        return self._field(key)

    def value(self) -> Value:
        if not self.step.is_settled:
            return Pending(self.step.waiters)
        return [dict(instance.answers) for instance in self._done()]

    def keys(self) -> Sequence[str]:
        return sorted({name for instance in self.step.instances.values() for name in instance.results or ()})

    def _field(self, field: str) -> Value:
        values: list[Any] = []
        for instance in self._done():
            results = instance.answers
            if field not in results:
                raise Unknown(field, list(results), f"steps.{self.step.spec.id}")
            value = results[field]
            if value is SKIPPED or (value is None and instance.status is not Status.DONE):
                continue  # did not come to be
            values.extend(value) if isinstance(value, list) else values.append(value)
        return values

    def _done(self) -> list[Instance]:
        if self.step.blocked and not self.tolerates_missing:
            raise Blocked(self.step.path)
        done = []
        for instance in self.step.ordered():
            if instance.status is Status.DONE or (self.tolerates_missing and instance.available_results is not None):
                done.append(instance)
            elif instance.fails_readers and not self.tolerates_missing:
                raise Blocked(instance.address)
        return done

    def _one(self, index: int) -> Value:
        """`steps.ID[i]` waits for one instance only; a gap in the order reads as skipped (rule 15)."""
        if index < 0:
            if not self.step.is_settled:
                return Pending(self.step.waiters)
            ordered = self.step.ordered()
            if -index > len(ordered):
                raise no_instance(self.step.spec.id, index, len(ordered))
            return OneLookup(ordered[index], self.tolerates_missing)
        instance = self.step.by_index.get(index)
        if instance is not None:
            return OneLookup(instance, self.tolerates_missing)
        if not self.step.closed:
            return Pending(self.step.arrivals)
        if self.step.blocked and not self.tolerates_missing:
            raise Blocked(self.step.path)
        if any(known > index for known in self.step.by_index):
            return SKIPPED
        if self.step.fanout.streams or self.step.overflow:
            return SKIPPED
        raise no_instance(self.step.spec.id, index, len(self.step.instances))


@dataclass(slots=True, eq=False)
class OriginLookup:
    """`origin.ID`: the one instance of ID that this element came from, through any number of such steps (rule 17)."""

    source: Instance | None
    tolerates_missing: bool

    def get(self, key: str | int) -> Value:
        at = self.source
        while at is not None:
            if at.step.spec.id == key:
                return OneLookup(at, self.tolerates_missing, with_item=True)
            at = at.source
        raise Unknown(key, self.keys(), "origin")

    def value(self) -> Value:
        raise Unknown("origin", self.keys(), "a value")

    def keys(self) -> Sequence[str]:
        names, at = [], self.source
        while at is not None:
            names.append(at.step.spec.id)
            at = at.source
        return names


@dataclass(slots=True, eq=False)
class PreviousLookup:
    """`previous`: the nearest earlier instance that was not skipped (rule 18)."""

    instance: Instance

    def get(self, key: str | int) -> Value:
        found = self._found()
        return found.get(key) if isinstance(found, OneLookup) else found

    def value(self) -> Value:
        found = self._found()
        return found.value() if isinstance(found, OneLookup) else found

    def keys(self) -> Sequence[str]:
        return ()

    def _found(self) -> Value:
        step = self.instance.step
        unborn = self._earlier_may_come()
        if unborn is not None:
            return unborn
        earlier = [other for key, other in step.instances.items() if key < self.instance.key]
        for other in sorted(earlier, key=lambda one: one.key, reverse=True):
            if not other.is_over:
                return Pending(other.waiters)
            if other.fails_readers:
                raise Blocked(other.address)
            if other.status is Status.DONE:
                return OneLookup(other, False)
        return SKIPPED

    def _earlier_may_come(self) -> Pending | None:
        """In a stream, an element before this one may still be on its way."""
        source = self.instance.source
        if source is None or self.instance.step.closed:
            return None
        if not source.step.closed:
            return Pending(source.step.arrivals)
        for key in sorted(source.step.instances):
            if key >= source.key:
                return None
            if not source.step.instances[key].is_over:
                return Pending(source.step.instances[key].waiters)
        return None
