"""From steps to instances, as their elements become known, and the news of each instance's end to whoever waits for it.

Knows nothing of money, the service or files. What an earlier process journaled of an instance is taken over at its birth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from zenflow.engine.expansion.scope import Blocked, frame_scope, scope_of
from zenflow.engine.model.instances import Frame, Instance, Status, StepRun, Waiter
from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.template import Template
from zenflow.expr.tree import evaluate_tree, pendings_in
from zenflow.expr.values import SKIPPED, Pending, Value
from zenflow.history.state import InstanceStatus, RunState
from zenflow.plan.fanout import Fan, Key, combinations, fanout_of, parse_address
from zenflow.recipe.model import Recipe, StepSpec

ExpectedCount = Callable[[StepSpec, Mapping[str, Value], str], int]
"""How many elements one instance of a step is asked for in a field, as far as its parameters tell (rule 15)."""

_RESTORED = {
    InstanceStatus.DONE: Status.DONE,
    InstanceStatus.FAILED: Status.FAILED,
    InstanceStatus.SKIPPED: Status.SKIPPED,
    InstanceStatus.LOST: Status.LOST,
}


class Expander:
    """Makes frames and instances, and passes on what becomes of them. `agenda` holds instances to look at again."""

    def __init__(self, state: RunState, expected_count: ExpectedCount) -> None:
        self.agenda: deque[Instance] = deque()
        self.frames: list[Frame] = []
        self._state = state
        self._expected_count = expected_count
        self._journaled = _keys_by_step(state)
        self.makers: dict[str, tuple[Instance, int]] = {}  # asset id → the call that made it, and which of its results
        self._born: dict[str, int] = {}  # how many of the journaled ones exist again
        self._bounds: dict[str, int | None] = {}
        self._changes: Mapping[str, Mapping[str, Any]] = state.options.get("changes") or {}
        self.on_frame_settled: Callable[[Frame], None] = lambda frame: None
        self.on_step_problem: Callable[[StepRun, str, str, str], None] = lambda step, code, message, hint: None

    # ------------------------------------------------------------------------------------------------------- frames

    def open_frame(
        self,
        recipe: Recipe,
        inputs: Mapping[str, Any],
        outer: Instance | None = None,
        run: Mapping[str, Any] | None = None,
    ) -> Frame:
        """A frame with all its steps; those that stand on nothing have their instances at once."""
        prefix = f"{outer.address}/" if outer is not None else ""
        plan_prefix = f"{outer.step.plan_path}/" if outer is not None else ""
        frame = Frame(recipe, inputs, prefix, plan_prefix, outer)
        frame.names = {
            "inputs": dict(inputs),
            "recipe": {"name": recipe.name, "version": recipe.version},
            "run": dict(run or {}),
        }
        for name, spec in recipe.steps.items():
            frame.steps[name] = StepRun(frame, spec, prefix + name, plan_prefix + name, fanout_of(spec))
        frame.unsettled = len(frame.steps)
        self.frames.append(frame)
        for step in frame.steps.values():
            self._follow(step)
        for step in frame.steps.values():
            self._begin(step)
        return frame

    def _follow(self, step: StepRun) -> None:
        if step.fanout.streams and step.fanout.source is not None:
            source = step.frame.steps[step.fanout.source]
            source.followers.append(lambda ended, step=step: self._element_known(step, ended))  # type: ignore[misc]
            source.waiters.append(lambda: self._source_settled(step))

    def _begin(self, step: StepRun) -> None:
        kind = step.fanout.kind
        if kind is Fan.NONE:
            self._add(step, (), 0, None)
            self.close(step)
        elif not step.fanout.streams:
            self._expand_list(step)

    # ----------------------------------------------------------------------------------------------- lists and matrices

    def _expand_list(self, step: StepRun) -> None:
        """Evaluate `foreach`, now or again when what it waits for is there."""
        try:
            value = evaluate_tree(step.spec.foreach, frame_scope(step.frame))
        except Blocked as blocked:
            return self.block(step, blocked.by)
        except ExpressionError as error:
            return self._give_up(step, error.code, error.message, error.hint or "")
        pending = pendings_in(value)
        if pending:
            self.wait(pending[0], lambda: self._expand_list(step))
            return None
        elements = self._elements(step, value)
        if elements is None:
            return None
        for position, item in enumerate(elements):
            self._add(step, (position,), position, item)
        self.close(step)
        return None

    def _elements(self, step: StepRun, value: Any) -> Iterable[Any] | None:
        if value is SKIPPED:
            self._skip_all(step)
            return None
        if step.fanout.kind is Fan.MATRIX:
            for name, one in value.items():
                if one is SKIPPED:
                    self._skip_all(step)
                    return None
                if not isinstance(one, list):
                    self._not_a_list(step, one, f"foreach.{name}")
                    return None
            return combinations(value)
        if not isinstance(value, list):
            self._not_a_list(step, value, "foreach")
            return None
        return value

    def _skip_all(self, step: StepRun) -> None:
        self.close(step)

    def _not_a_list(self, step: StepRun, value: Any, what: str) -> None:
        self._give_up(step, "ZF331", f"`{what}` of `{step.spec.id}` must give a list, and gave {_kind(value)}", "")

    def _give_up(self, step: StepRun, code: str, message: str, hint: str) -> None:
        step.blocked, step.problem = True, message
        self.on_step_problem(step, code, message, hint)
        self.close(step)

    def block(self, step: StepRun, by: str) -> None:
        """The step's list cannot be had because `by` failed."""
        step.blocked, step.problem = True, f"{by} failed"
        self.close(step)

    # ---------------------------------------------------------------------------------------------------------- streams

    def _element_known(self, step: StepRun, ended: Instance) -> None:
        """One instance of the source is over: its elements start now (rule 16)."""
        if step.fanout.kind is Fan.STEP:
            self._follow_instance(step, ended)
        elif ended.status is Status.DONE:
            self._follow_elements(step, ended)

    def _follow_instance(self, step: StepRun, ended: Instance) -> None:
        item = dict(ended.answers) if ended.status is Status.DONE else None
        child = self._add(step, ended.key, ended.index, item, ended)
        if child is None or child.is_over or ended.status is Status.DONE:
            return
        if ended.fails_readers:
            self.settle(child, Status.BLOCKED, message=f"{ended.address} failed")
        else:
            self.settle(child, Status.SKIPPED, message=f"{ended.address} was skipped")

    def _follow_elements(self, step: StepRun, ended: Instance) -> None:
        name = step.fanout.field or ""
        results = ended.answers
        if name not in results:
            return self._give_up(step, "ZF304", f"`{ended.step.spec.id}` has no result `{name}`", "")
        value = results[name]
        if value is SKIPPED:
            return None
        if not isinstance(value, list):
            if not ended.step.fans_out:
                return self._not_a_list(step, value, "foreach")
            value = [value]
        first = self.place_of(ended, name)
        for position, item in enumerate(value):
            key = (*ended.key, position)
            self._add(step, key, first + position, item, ended, position)
        return None

    def place_of(self, source: Instance, name: str = "asset_ids") -> int:
        """The as-if place of the first element of `source`'s field `name` among those of its step (rule 15)."""
        step = source.step
        if not step.fans_out:
            return 0
        asked_here = self._expected_of(source, name)
        earlier = source.index
        uniform = self._uniform_ask(step, name)
        if uniform is not None:
            return earlier * uniform
        known = [
            self._expected_of(step.by_index[i], name) if i in step.by_index else asked_here for i in range(earlier)
        ]
        return sum(known)

    def _uniform_ask(self, step: StepRun, field: str) -> int | None:
        """The count, where the parameter that asks for it reads nothing of the element."""
        for name in ("number_of_images", "batch_size", "count", "num_images"):
            written = step.spec.with_.get(name)
            if isinstance(written, Template) and any(read.root != "inputs" for read in written.reads):
                return None
        return self._expected_count(step.spec, frame_scope(step.frame), field)

    def _expected_of(self, instance: Instance, field: str) -> int:
        return self._expected_count(instance.step.spec, scope_of(instance), field)

    def _source_settled(self, step: StepRun) -> None:
        source = step.frame.steps[step.fanout.source or ""]
        if source.blocked and not step.instances:
            step.blocked = True
        self.close(step)

    # -------------------------------------------------------------------------------------------------------- instances

    def _add(
        self, step: StepRun, key: Key, index: int, item: Value, source: Instance | None = None, position: int = 0
    ) -> Instance | None:
        """A new instance, unless `max` forbids it; what was begun before has the first right to a place (rule 19)."""
        if key in step.instances:
            return step.instances[key]
        if step.fans_out and not self._has_place(step, key):
            step.overflow += 1
            return None
        instance = Instance(step, key, index, item, source, position)
        instance.changes = self._changes.get(instance.address)
        step.instances[key] = instance
        step.by_index.setdefault(index, instance)
        step.open_count += 1
        self._restore(instance)
        self._wake(step.arrivals)
        return instance

    def _has_place(self, step: StepRun, key: Key) -> bool:
        bound = self._bound(step)
        if bound is None:
            return True
        journaled = self._journaled.get(step.path, frozenset())
        if key in journaled:
            return True
        promised = len(journaled) - self._born.get(step.path, 0)
        return len(step.instances) + promised < bound

    def _bound(self, step: StepRun) -> int | None:
        if step.path not in self._bounds:
            self._bounds[step.path] = self._read_bound(step)
        return self._bounds[step.path]

    def _read_bound(self, step: StepRun) -> int | None:
        overrides = self._state.options.get("max", {})  # `--max STEP=N`
        for name in (step.path, step.plan_path):
            if name in overrides:
                return int(overrides[name])
        written = step.spec.max
        if (
            written is None
        ):  # the plan's own bound serves (rule 19): a service that gives more than asked starts no more
            bounds = self._state.options.get("bounds", {}) if self._state.recipes == 1 else {}  # of the first recipe
            return int(bounds[step.path]) if step.path in bounds else None
        value = evaluate(written, step.frame.names) if isinstance(written, Template) else written
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def _restore(self, instance: Instance) -> None:
        journaled = self._state.instances.get(instance.address)
        if journaled is None:
            self.agenda.append(instance)
            return
        instance.journaled = journaled
        self._born[instance.step.path] = self._born.get(instance.step.path, 0) + 1
        status = _RESTORED.get(journaled.status)
        if status is None or (status is not Status.SKIPPED and instance.step.spec.recipe is not None):
            self.agenda.append(instance)  # a recipe is unfolded again: what is inside is told, and may go on
            return
        instance.results = journaled.results
        instance.code, instance.message, instance.hint = journaled.code, journaled.message, journaled.hint
        if status is Status.LOST:
            instance.status = status
        else:
            self.settle(instance, status)

    def settle(
        self,
        instance: Instance,
        status: Status,
        *,
        results: Mapping[str, Any] | None = None,
        code: str = "",
        message: str = "",
        hint: str = "",
    ) -> None:
        """An instance is over. Its followers hear of it first, then whoever waits for it, then for its step."""
        instance.status = status
        if results is not None:
            instance.results = results
        if code or message:
            instance.code, instance.message, instance.hint = code, message, hint
        step = instance.step
        step.open_count -= 1
        if status is Status.DONE and step.spec.kind == "tool":
            for position, asset_id in enumerate((instance.results or {}).get("asset_ids", ())):
                self.makers.setdefault(asset_id, (instance, position))
        for follow in step.followers:
            follow(instance)
        self._wake(instance.waiters)
        self._check_settled(step)

    def close(self, step: StepRun) -> None:
        """No more instances will come."""
        if step.closed:
            return
        step.closed = True
        self._wake(step.arrivals)
        self._check_settled(step)

    def _check_settled(self, step: StepRun) -> None:
        if not step.is_settled:
            return
        frame = step.frame
        frame.unsettled -= 1
        self._wake(step.waiters)
        if frame.is_settled:
            self.on_frame_settled(frame)

    def find(self, address: str) -> Instance | None:
        """The instance of an address, where it exists by now."""
        path, key = parse_address(address)
        for frame in self.frames:
            step = frame.steps.get(path.removeprefix(frame.prefix)) if path.startswith(frame.prefix) else None
            if step is not None and step.path == path:
                return step.instances.get(key)
        return None

    # ---------------------------------------------------------------------------------------------------------- waiting

    def wait_for(self, pending: Pending, instance: Instance) -> None:
        """Look at `instance` again when what it waits for has changed."""
        self.wait(pending, lambda: self.agenda.append(instance))

    def wait(self, pending: Pending, waiter: Waiter) -> None:
        waiters = pending.on
        if isinstance(waiters, list):
            waiters.append(waiter)

    def _wake(self, waiters: list[Waiter]) -> None:
        if not waiters:
            return
        woken = waiters[:]
        waiters.clear()
        for waiter in woken:
            waiter()


def _keys_by_step(state: RunState) -> dict[str, frozenset[Key]]:
    keys: dict[str, set[Key]] = {}
    for address in state.instances:
        path, key = parse_address(address)
        keys.setdefault(path, set()).add(key)
    return {path: frozenset(found) for path, found in keys.items()}


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return {bool: "a boolean", int: "a number", float: "a number", str: "a text", dict: "an object"}.get(
        type(value), "no list"
    )
