"""Tests of recipes: every case on a sandbox of its own, several at a time, judged by money, calls, files and outputs.

Nothing real is touched: no account, no journal of the workspace, no output folder.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from zenflow.app.config.settings import LINK_OUT, Setting, Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.wiring import Connection
from zenflow.app.planning.plan_file import word_of
from zenflow.app.planning.prepare import Loaded, load, make_plan
from zenflow.app.planning.sources import verified_place
from zenflow.app.running.resume import ResumeRequest, resume_with
from zenflow.app.running.run import RunCallbacks, RunRequest, begin_and_execute
from zenflow.credits import as_text
from zenflow.engine.model.ports import StopSignal
from zenflow.engine.model.report import RunReport, Silent
from zenflow.errors import InvalidRecipe, Refused, UsageError, ZenflowError
from zenflow.host.writing import replace_file, replace_json
from zenflow.plan.model import Plan
from zenflow.plan.output.document import plan_document
from zenflow.recipe.recipe_tests import ENDING, AllowedRange, CaseFile, ExpectedResult, RecipeCase, load_cases
from zenflow.report.verdict import refusal_of

AT_ONCE = 4
SPEED = 5000.0
NO_TESTS = "ZF066"
_STATUSES = {"done": "done", "failed": "failed", "stopped": "stopped", "interrupted": "stopped", "running": "stopped"}
_GOLDEN_KEYS = ("id", "uses", "model", "instances", "credits")


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What became of one case."""

    status: str  # done failed stopped refused invalid
    plan: Plan | None = None
    report: RunReport | None = None
    codes: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """`differences`: what is not as expected, each a sentence; none means that it holds."""

    name: str
    seconds: float
    differences: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class FileResult:
    path: Path
    cases: tuple[CaseResult, ...]
    updated: bool = False


@dataclass(frozen=True, slots=True)
class TestReport:
    files: tuple[FileResult, ...]

    @property
    def failed(self) -> int:
        return sum(1 for file in self.files for case in file.cases if not case.ok)

    @property
    def count(self) -> int:
        return sum(len(file.cases) for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRequest:
    path: Path | None  # a file or a folder; None: recipes/ of the workspace, else the current folder
    current: Path
    update: bool = False


async def test(request: TestRequest, settings: Settings) -> TestReport:
    """Every case of every file. Raises InvalidRecipe for a test file that is wrong, UsageError when there is none."""
    files = [load_cases(path) for path in _found(request, settings)]
    gate = asyncio.Semaphore(AT_ONCE)
    return TestReport(tuple(await asyncio.gather(*(_file(file, settings, request.update, gate) for file in files))))


def _found(request: TestRequest, settings: Settings) -> list[Path]:
    repository = None if request.path is None else verified_place(str(request.path), request.current)
    if repository is not None:
        place = _named(repository, request.current)
    else:
        place = settings.workspace.root / "recipes" if request.path is None else _named(request.path, request.current)
    if place.is_file():
        return [place]
    if request.path is None and not place.is_dir():
        place = request.current
        found = sorted(place.glob(f"*{ENDING}"))  # not below it: it may be anybody's home
    else:
        found = sorted(place.rglob(f"*{ENDING}")) if place.is_dir() else []
    if not found:
        raise UsageError(
            NO_TESTS, f"There is no `*{ENDING}` at {place}.", "Put one beside a recipe: photoshoot.test.yaml."
        )
    return found


def _named(path: Path, current: Path) -> Path:
    """A test file, a folder, or a recipe (its file or its name): then the tests beside it."""
    place = current / path
    if place.is_file() and not place.name.endswith(ENDING):
        return place.with_name(f"{place.stem}{ENDING}")
    beside = current / "recipes" / f"{path}{ENDING}"
    return beside if not place.exists() and beside.is_file() else place


async def _file(file: CaseFile, settings: Settings, update: bool, gate: asyncio.Semaphore) -> FileResult:
    golden = _golden(file.golden)
    plans: dict[str, Any] = {}

    async def one(case: RecipeCase) -> CaseResult:
        async with gate:
            clock = wiring.clock()
            began_s = clock.monotonic_s()
            outcome = await _outcome(file, case, settings)
            differences = list(_differences(case.expected, outcome))
            if case.golden and outcome.plan is not None:
                plans[case.name] = _kept(outcome.plan)
                if not update:
                    differences += _golden_differences(golden.get(case.name), plans[case.name])
            return CaseResult(case.name, clock.monotonic_s() - began_s, tuple(differences))

    results = tuple(await asyncio.gather(*(one(case) for case in file.cases)))
    if update and plans:
        _write_golden(file.golden, plans)
    return FileResult(file.path, results, bool(update and plans))


def _write_golden(golden: Path, plans: Mapping[str, Any]) -> None:
    try:
        replace_file(golden, json.dumps(dict(sorted(plans.items())), indent=2) + "\n")
    except OSError as error:
        raise UsageError(
            "ZF075", f"{golden} cannot be written: {error.strerror}", "Make it writable for you."
        ) from error


# --- one case -------------------------------------------------------------------------------------------------------


async def _outcome(file: CaseFile, case: RecipeCase, settings: Settings) -> CaseOutcome:
    """Plan and run it, as `zenflow run --yes` would."""
    with TemporaryDirectory(prefix="zenflow-test-") as name:
        place = Path(name)
        own = _settings(settings, place)
        try:
            request = _request(file, case, place)
            loaded = load(request)
            async with _sandbox(case, own, place) as to:
                return await _in_sandbox(case, request, loaded, to)
        except InvalidRecipe as invalid:
            codes = tuple(p.code for p in invalid.problems)
            return CaseOutcome("invalid", codes=codes, said=invalid.message)
        except UsageError as error:
            return CaseOutcome("invalid", codes=(error.code,), said=error.message)
        except ZenflowError as error:
            return CaseOutcome("stopped", codes=(error.code,), said=error.message)


async def _in_sandbox(case: RecipeCase, request: RunRequest, loaded: Loaded, to: Connection) -> CaseOutcome:
    plan = await make_plan(loaded, request, to)
    refused = refusal_of(plan)
    if refused is not None:
        return CaseOutcome("refused", plan, codes=(refused.code,), said=refused.message)
    if case.plan_only:
        return CaseOutcome("done", plan)
    callbacks = RunCallbacks(Silent(), StopSignal(), lambda run_id, folder: None)
    try:
        report = await begin_and_execute(plan, loaded, request, to, callbacks)
        if case.resume and report.status != "done":
            again = ResumeRequest(run=report.run_id, picks=case.picks, current=request.current)
            report = await resume_with(again, to, lambda rest: None, callbacks)
    except Refused as error:
        return CaseOutcome("refused", plan, codes=(error.code,), said=error.message)
    return CaseOutcome(_STATUSES[report.status], plan, report, tuple(_codes(report)), _why(report))


def _why(report: RunReport) -> str:
    """Why it did not come to its end, in the run's own words."""
    failed = (one.message for step in report.steps.values() for one in step.instances if one.status == "failed")
    told = [report.reason, *(text for _, text, _ in report.reasons), *failed]
    return next((text for text in told if text), "")


def _codes(report: RunReport) -> Iterator[str]:
    for code, _, _ in report.reasons:
        yield code
    for step in report.steps.values():
        yield from (one.code for one in step.instances if one.code)


def _request(file: CaseFile, case: RecipeCase, place: Path) -> RunRequest:
    words = tuple((name, word_of(value)) for name, value in case.inputs.items())
    return RunRequest(
        recipe=str(file.recipe.absolute()),
        current=file.path.absolute().parent,
        inputs=words,
        budget=case.budget,
        maxima=case.maxima,
        picks=case.picks,
        out=place / "out",
    )


def _settings(settings: Settings, place: Path) -> Settings:
    """The workspace's limits and policy, on a sandbox of its own."""
    own = {
        "service.server": Setting("service.server", "sandbox", "zenflow test"),
        "service.speed": Setting("service.speed", SPEED, "zenflow test"),
        "state.dir": Setting("state.dir", place / "state", "zenflow test"),
        "output.dir": Setting("output.dir", place / "out", "zenflow test"),
        "budget.per_day": Setting("budget.per_day", None, "zenflow test"),
        "limits.lost_answer_wait": Setting("limits.lost_answer_wait", 0.2, "zenflow test"),
    }
    return replace(settings, by_key={**settings.by_key, **own}, token=None)


def _sandbox(case: RecipeCase, settings: Settings, place: Path) -> Any:
    faults = None
    if case.faults:
        faults = place / "faults.json"
        replace_json(faults, [dict(rule) for rule in case.faults])
    return wiring.connect_sandbox(settings, faults=faults, **case.sandbox)


# --- judging --------------------------------------------------------------------------------------------------------


def _differences(expected: ExpectedResult, found: CaseOutcome) -> Iterator[str]:
    if expected.status is not None and found.status != expected.status:
        why = f" ({found.said})" if found.said else ""
        yield f"status: expected {expected.status}, it is {found.status}{why}"
    if expected.problem is not None and expected.problem not in found.codes:
        told = ", ".join(dict.fromkeys(found.codes)) or "none"
        yield f"problem: expected {expected.problem}, told were {told}"
    yield from _planned(expected, found.plan)
    yield from _ran(expected, found.report)


def _planned(expected: ExpectedResult, plan: Plan | None) -> Iterator[str]:
    for word, bound in expected.planned.items():
        if plan is None:
            yield f"planned {word}: there is no plan"
        else:
            yield from _bounded(f"planned {word}", bound, getattr(plan.credits, word))


def _ran(expected: ExpectedResult, report: RunReport | None) -> Iterator[str]:
    wants = expected.credits or expected.calls or expected.steps or expected.files or expected.kinds or expected.outputs
    if report is None:
        if wants:
            yield "nothing ran, so there are no credits, calls, steps, files or outputs"
        return
    if expected.credits is not None:
        yield from _bounded("credits", expected.credits, report.state.totals.spent)
    made = _calls(report)
    for tool, bound in expected.calls.items():
        yield from _bounded(f"calls of {tool}", bound, made[tool])
    for name, status in expected.steps.items():
        now = _status_of(name, report)
        if now != status:
            yield f"{name}: expected {status}, it is {now}"
    if expected.files is not None:
        yield from _bounded("files", expected.files, len(report.files))
    kinds = Counter(file.media_type.partition("/")[0] for file in report.files)
    for kind, bound in expected.kinds.items():
        yield from _bounded(f"files of kind {kind}", bound, kinds[kind])
    for name, wanted in expected.outputs.items():
        yield from _output(name, wanted, report.outputs)


def _bounded(what: str, bound: AllowedRange, amount: Decimal | int) -> Iterator[str]:
    if not bound.holds(amount):
        yield f"{what}: expected {bound}, it is {as_text(Decimal(amount))}"


def _calls(report: RunReport) -> Counter[str]:
    found: Counter[str] = Counter()
    for submission in report.state.submissions.values():
        if submission.task_id is not None:
            found[submission.tool] += len(submission.calls)
    return found


def _status_of(name: str, report: RunReport) -> str:
    step = report.steps.get(name)
    if step is not None:
        return step.status
    for other in report.steps.values():
        for instance in other.instances:
            if instance.address == name:
                return instance.status
    return "not there"


def _output(name: str, wanted: Any, outputs: Mapping[str, Any]) -> Iterator[str]:
    if name not in outputs:
        yield f"output {name}: there is none"
        return
    value = outputs[name]
    if isinstance(wanted, Mapping) and set(wanted) == {"count"}:
        length = len(value) if isinstance(value, list) else None
        if length != wanted["count"]:
            yield f"output {name}: expected {wanted['count']} elements, it has {length if length is not None else 'no list'}"
    elif isinstance(wanted, Mapping) and set(wanted) == {"matches"}:
        if not isinstance(value, str) or re.search(str(wanted["matches"]), value) is None:
            yield f"output {name}: expected a text that matches {wanted['matches']!r}, it is {value!r}"
    elif value != wanted:
        yield f"output {name}: expected {wanted!r}, it is {value!r}"


# --- golden plans ---------------------------------------------------------------------------------------------------


def _kept(plan: Plan) -> dict[str, Any]:
    """What of a plan is held fast: its counts and prices, not its moments."""
    document = plan_document(plan)
    steps = [{key: step[key] for key in _GOLDEN_KEYS} for step in document["steps"]]
    return {"credits": document["credits"], "steps": steps}


def _golden(path: Path) -> Mapping[str, Any]:
    if path.is_symlink():  # it may lead anywhere: a received folder can hold one
        raise UsageError(LINK_OUT, f"invalid golden file: {path} is a link", "Remove the link, then update again.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(
            NO_TESTS, f"{path} cannot be read: {error}.", "`zenflow test --update` makes it anew."
        ) from error
    return found if isinstance(found, dict) else {}


def _golden_differences(before: Any, now: Mapping[str, Any]) -> Sequence[str]:
    if before is None:
        return ["its plan is not kept yet: `zenflow test --update` keeps it"]
    if before == now:
        return []
    old = {step["id"]: step for step in before["steps"]}
    new = {step["id"]: step for step in now["steps"]}
    moved = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    total = f"{before['credits']['expected']} → {now['credits']['expected']} expected"
    return [f"its plan is another one ({total}; {', '.join(moved) or 'totals'}): `zenflow test --update` accepts it"]
