"""Why is an instance made new, or kept? What its request is now beside what an earlier run asked for, part by part.

Reads the journal, and the service's schemas for models that are left out; asks for nothing that costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zenflow.app.config.settings import Settings
from zenflow.app.connection.retry import with_retries
from zenflow.app.connection.wiring import connect_read_only
from zenflow.app.planning.plan_file import word_of
from zenflow.app.planning.prepare import RecipeRequest, catalog_for, read_recipe
from zenflow.app.planning.reuse import preview_reuse
from zenflow.app.planning.reuse_options import ReuseOptions
from zenflow.app.queries import runs
from zenflow.engine.expansion.readiness import Go, decide
from zenflow.engine.model.instances import Instance, Status
from zenflow.engine.model.recipe_record import stored_recipe
from zenflow.engine.reporting.replay import frames_of, look_at
from zenflow.engine.reuse.preview import ReusePreview
from zenflow.errors import UsageError
from zenflow.history.events import RunStarted
from zenflow.history.state import InstanceStatus, RunState
from zenflow.plan.analysis.dependencies import link
from zenflow.plan.fanout import Key, fanout_of, parse_address
from zenflow.plan.fanout import address as place
from zenflow.plan.fingerprint import ABSENT, differences, request_of
from zenflow.recipe.inputs.bind import bind_inputs
from zenflow.recipe.inputs.media_leaves import is_local_file, with_media
from zenflow.recipe.model import InputSpec, Recipe
from zenflow.recipe.origins import origins_of
from zenflow.suggest import did_you_mean

Verdict = Literal["kept", "new", "waits", "free", "absent"]
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyRequest:
    """`recipe` None: the file of the run's own recipe, as it is now. `run`: compared with this one; None: the last."""

    instance: str
    current: Path
    recipe: str | None = None
    run: str | None = None
    inputs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class InputDifference:
    """One part of a request. What is not there is told by `had` and `has`."""

    where: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Why:
    """`verdict` in a word, `reason` in a sentence; `differences` of two known requests; `because`: what it waits for."""

    address: str
    verdict: Verdict
    reason: str
    run_id: str
    differences: tuple[InputDifference, ...] = ()
    because: tuple[Why, ...] = ()


async def why(request: WhyRequest, settings: Settings) -> Why:
    """Raises NoSuchRun, UsageError, InvalidRecipe, ServiceError."""
    async with connect_read_only(settings) as to:
        row = runs.find(to.journal, request.run)
        state = look_at(to.journal.events(row.run_id)).state
        if state.started is None:
            raise UsageError("ZF042", f"Run {row.run_id} never began: there is nothing to compare with.")
        recipe, inputs = _asked(request, state.started)
        account = await with_retries(to.provider.account, to.clock)
        catalog = await catalog_for(recipe, to)
        known = await preview_reuse(
            recipe, inputs, {}, ReuseOptions(source=row.run_id), to, account.account_id, catalog
        )
        return _Explainer(recipe, row.run_id, state, known.seen, _old_requests(state)).of(request.instance)


def _asked(request: WhyRequest, started: RunStarted) -> tuple[Recipe, Mapping[str, Any]]:
    """The recipe as it is now with the inputs that the run was given; those given now take their place."""
    own = origins_of(started.recipe_origins).get("")
    stored = str(Path(started.recipe_folder) / started.recipe_root) if own is None else own.word
    path = request.recipe or stored
    recipe = read_recipe(RecipeRequest(recipe=path, current=request.current))
    given = dict(request.inputs)
    words = [
        (name, word_of(value))
        for name, value in given_inputs(started).items()
        if name in recipe.inputs and name not in given
    ]
    return recipe, bind_inputs(recipe, [*words, *given.items()], request.current).values


def given_inputs(started: RunStarted) -> dict[str, Any]:
    """A run's inputs without those that were as its recipe has them by default: a new default is then the new value."""
    specs = stored_recipe(started).inputs
    folder = Path(started.recipe_folder)
    return {
        name: value
        for name, value in started.inputs.items()
        if name not in specs or specs[name].required or not _is_default(value, specs[name], folder)
    }


def _is_default(value: Any, spec: InputSpec, folder: Path) -> bool:
    def placed(medium: str) -> str:
        return str((folder / medium).resolve()) if is_local_file(medium) else medium

    return bool(with_media(value, spec.schema, placed) == with_media(spec.default, spec.schema, placed))


def _old_requests(state: RunState) -> dict[str, Mapping[str, Any]]:
    """What every instance of the run asked for: paid ones as they were sent, the others worked out again."""
    found: dict[str, Mapping[str, Any]] = {}
    for frame in frames_of(state):
        for step in frame.steps.values():
            for instance in step.instances.values():
                if step.spec.kind == "action":
                    decision = decide(instance)
                    if isinstance(decision, Go):
                        found[instance.address] = decision.params
    for submission in state.submissions.values():
        for call in submission.calls:
            found[call.call.instance] = call.call.params
    return found


class _Explainer:
    def __init__(
        self, recipe: Recipe, run_id: str, state: RunState, seen: ReusePreview, old: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._recipe, self._run_id, self._state, self._seen, self._old = recipe, run_id, state, seen, old
        self._told: set[str] = set()

    def of(self, address: str) -> Why:
        """The explanation of one instance, and of what it waits for."""
        self._told.add(address)
        instance = self._seen.instance(address)
        if instance is None:
            return self._several(address) or self._absent(address)
        if instance.step.spec.kind == "recipe":  # what becomes of it is what becomes of the calls in it
            return self._several(address) or self._waiting(instance)
        kept = self._seen.kept.get(instance)
        if kept is not None:
            reason = f"its request is the one that {kept.instance} of run {kept.run_id} made"
            return self._why(address, "kept", reason)
        request = self._seen.requests.get(instance)
        if request is None:
            return self._waiting(instance)
        return self._known(instance, request.params)

    def _several(self, address: str) -> Why | None:
        """A step that fans out, or what it makes of one element: what becomes of its instances, and why of the new ones."""
        parts = self._calls_of(address)
        sources = self._new_sources(address)
        if len(parts) == 1 and not sources:
            return self.of(parts[0].address)
        new = tuple(one for one in [self.of(one.address) for one in parts] if one.verdict not in ("kept", "free"))
        if sources:
            named = ", ".join(sources[:SHOWN]) + (f" and {len(sources) - SHOWN} more" if sources[SHOWN:] else "")
            reason = f"it goes over the results of {named}, which {'is' if len(sources) == 1 else 'are'} made new"
            because = [self.of(source) for source in sources[:SHOWN] if source not in self._told]
            return Why(address, "waits", reason, self._run_id, (), (*new[:SHOWN], *because))
        if not parts:
            return None
        if not new:
            return self._why(address, "kept", f"all {len(parts)} of its instances are")
        told = f"; here are {SHOWN} of them" if len(new) > SHOWN else ""
        reason = f"{len(new)} of its {len(parts)} instances {'is' if len(new) == 1 else 'are'}{told}"
        return Why(address, "new", reason, self._run_id, (), new[:SHOWN])

    def _new_sources(self, address: str) -> list[str]:
        """Instances made new whose results it goes over, directly or through others: its own are not all known yet."""
        path, key = _outermost(address)
        step = self._recipe.steps.get(path)
        fanout = fanout_of(step) if step is not None else None
        if fanout is None or not fanout.streams:
            return []
        for places in (key, key[:-1]) if key[1:] else (key,):
            source = place(str(fanout.source), places)
            new = [one.address for one in self._calls_of(source) if self._is_new(one)]
            found = new or self._new_sources(source)
            if found:
                return found
        return []

    def _calls_of(self, whole: str) -> list[Instance]:
        """The instances within a step or an instance that make something themselves, those of inner recipes with them."""
        return [o for o in self._instances() if o.step.spec.kind != "recipe" and _is_within(o.address, whole)]

    def _instances(self) -> Iterator[Instance]:
        for frame in self._seen.frames:
            for step in frame.steps.values():
                yield from step.instances.values()

    def _why(self, address: str, verdict: Verdict, reason: str, differences: Sequence[InputDifference] = ()) -> Why:
        return Why(address, verdict, reason, self._run_id, tuple(differences))

    def _known(self, instance: Instance, params: Mapping[str, Any]) -> Why:
        spec, address = instance.step.spec, instance.address
        old = self._old.get(address)
        if spec.kind == "action" and not params:
            return self._why(address, "free", "its files are saved, or found to be there")
        if old is None:
            return self._why(address, "new", f"run {self._run_id} made no call for it")
        if spec.uses == "upload" and spec.kind == "action":
            return self._upload(instance)
        parts = list(
            differences(
                request_of(spec.uses, old, self._state.contents), request_of(spec.uses, params, self._seen.contents)
            )
        )
        found = [InputDifference(where, before, after) for where, before, after in parts]
        if found:
            return self._why(address, "new", f"its request is not the one that run {self._run_id} made", found)
        return self._why(address, "new", self._same_but(instance))

    def _upload(self, instance: Instance) -> Why:
        """Files are the same when their bytes are, wherever they lie."""
        told = self._state.instances.get(instance.address)
        old, new = "" if told is None else told.fingerprint, self._seen.requests[instance].fingerprint
        if old != new:
            reason = f"its bytes are not those that run {self._run_id} uploaded"
            return self._why(instance.address, "new", reason, [InputDifference("source", old or ABSENT, new or ABSENT)])
        return self._why(instance.address, "kept", f"its bytes are those that run {self._run_id} uploaded")

    def _same_but(self, instance: Instance) -> str:
        """The request is the same, and yet there is no result to take."""
        if instance.step.spec.reuse is False:
            return "its step says `reuse: false`"
        told = self._state.instances.get(instance.address)
        if told is not None and told.status is InstanceStatus.FAILED:
            return "the same request failed then, and a failed result is never taken"
        return "the same request has no finished result, or the service has its result no more"

    def _waiting(self, instance: Instance) -> Why:
        if instance.status is Status.SKIPPED:
            return self._why(instance.address, "absent", f"it is skipped: {instance.message}")
        causes = [address for address in self._new_before(instance) if address not in self._told][:3]
        named = ", ".join(causes) or "what comes before it"
        because = tuple(self.of(address) for address in causes)
        return Why(instance.address, "waits", f"it reads {named}, which is made new", self._run_id, (), because)

    def _new_before(self, instance: Instance) -> list[str]:
        """Instances of the steps that it reads which are not kept, its own source first."""
        frame = instance.step.frame
        if instance.source is not None and self._is_new(instance.source):
            return [instance.source.address]
        needs = link(frame.recipe).get(instance.step.spec.id, ())
        return [one.address for name in needs for one in frame.steps[name].instances.values() if self._is_new(one)]

    def _is_new(self, instance: Instance) -> bool:
        return instance not in self._seen.kept and instance.status is not Status.DONE

    def _absent(self, address: str) -> Why:
        known = [one.address for one in self._instances()]
        if _outermost(address)[0] in self._recipe.steps:
            return self._why(address, "absent", "what it goes over has no such element, or is not made yet")
        hint = did_you_mean(address, known) or f"There are: {', '.join(known[:8])}."
        raise UsageError("ZF059", f"`{self._recipe.name}` has no instance `{address}`.", hint)


def _is_within(address: str, whole: str) -> bool:
    """`generate.1.0` is within `generate.1`, and that within `generate`; `outer/draw` is within `outer`."""
    return address == whole or address.startswith((f"{whole}.", f"{whole}/"))


def _outermost(address: str) -> tuple[str, Key]:
    """Step and place, of an instance of the recipe itself; neither of any other word."""
    _, *numbers = address.split(".")
    is_one = "/" not in address and all(number.isdecimal() for number in numbers)
    return parse_address(address) if is_one else ("", ())
