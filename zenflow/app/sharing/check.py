"""For authors of a repository: is every recipe right, do its tests hold, and does its version number tell what changed?

A recipe is compared with the last tag that contains it. Everything is priced on the embedded sandbox.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from zenflow.app.authoring.recipe_tests import NO_TESTS, TestReport, TestRequest, test
from zenflow.app.config.repositories import repositories_of
from zenflow.app.config.settings import Setting, Settings
from zenflow.app.config.workspace import find_workspace
from zenflow.app.connection.wiring import ReadOnlyConnection, connect_read_only
from zenflow.app.planning.prepare import Loaded, RecipeRequest, make_plan
from zenflow.app.planning.sources import local_source
from zenflow.app.planning.validate import validate
from zenflow.errors import InvalidRecipe, UsageError, ZenflowError
from zenflow.host.git import run_git
from zenflow.plan.model import Plan
from zenflow.plan.output.diff import Limit, broken_guards, difference, side_of
from zenflow.plan.output.document import plan_document
from zenflow.problems import Place, Problem, Problems
from zenflow.recipe.changes import LEVELS, Level, RecipeChange, changes_between, level_of
from zenflow.recipe.inputs.bind import bind_inputs
from zenflow.recipe.inputs.examples import example_inputs
from zenflow.recipe.load import load_recipe, read_recipe_file
from zenflow.recipe.model import Recipe
from zenflow.recipe.recipe_tests import ENDING
from zenflow.recipe.trees import ENDINGS
from zenflow.repos.addresses import Address
from zenflow.repos.cache import Stored, write_files
from zenflow.repos.config import Declared
from zenflow.repos.resolver import VENDOR, Opener
from zenflow.repos.versions import (
    Tag,
    has_file,
    least_version,
    parse_version,
    releases_before,
    root_of,
    version_text,
)

TOO_SMALL, NO_VERSION, DEARER, GONE = "ZF556", "ZF557", "ZF558", "ZF561"
_IS_RECIPE = re.compile(rb"^zenflow\s*:", re.MULTILINE)
_MOST_RECIPES = 2000
_CHANGES_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """`limit`: how much dearer a recipe may become. `run_tests`: whether the cases of `*.test.yaml` are run."""

    folder: Path
    limit: Limit | None = None
    run_tests: bool = True


@dataclass(frozen=True, slots=True)
class Compared:
    """One recipe beside its last release. `level`: how much it changed; None: not at all."""

    path: str
    tag: str
    before: str
    after: str
    level: Level | None


@dataclass(frozen=True, slots=True)
class CheckReport:
    root: Path
    recipes: int
    problems: tuple[Problem, ...]
    compared: tuple[Compared, ...]
    tests: TestReport | None

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong; warnings are not."""
        errors = any(problem.severity == "error" for problem in self.problems)
        return not errors and (self.tests is None or not self.tests.failed)


async def check(request: CheckRequest, settings: Settings) -> CheckReport:
    """Check every recipe of a folder of a git repository. Raises UsageError."""
    settings = _on_sandbox(settings)
    folder = request.folder.resolve()
    root = root_of(folder).resolve()
    files = list(_recipes(folder, root))
    if not files:
        raise UsageError("ZF011", f"no recipes in {folder}", "Name the folder of a repository of recipes.")
    problems, compared = Problems(), []
    tags = releases_before(root)
    with TemporaryDirectory(prefix="zenflow-check-") as place:
        old = _Releases(root, Path(place))
        async with connect_read_only(settings) as to:
            for file in files:
                found = await validate(RecipeRequest(recipe=str(file), current=root), settings)
                problems.extend(found.problems)
                tag = next((one for one in tags if has_file(root, one, file.relative_to(root).as_posix())), None)
                if tag is not None and found.is_valid:
                    compared.append(await _compare(file, root, tag, old, request, to, problems))
    problems.extend(_gone(root, folder, tags, files))
    tests = await _tests(folder, settings) if request.run_tests else None
    return CheckReport(root, len(files), problems.in_order(), tuple(compared), tests)


def _on_sandbox(settings: Settings) -> Settings:
    own = Setting("service.server", "sandbox", "zenflow repo check")
    return replace(settings, by_key={**settings.by_key, "service.server": own})


def _recipes(folder: Path, root: Path) -> Iterator[Path]:
    """The recipes of a folder: files of YAML that begin as recipes do, none that are hidden or copied from elsewhere."""
    found = 0
    for file in sorted(one for ending in ENDINGS for one in folder.rglob(f"*{ending}")):
        inside = file.relative_to(root)
        hidden = any(part.startswith(".") for part in inside.parts)
        if hidden or inside.parts[0] == VENDOR or file.name.endswith(ENDING) or file.is_symlink() or not file.is_file():
            continue
        if _IS_RECIPE.search(read_recipe_file(file)):
            found += 1
            if found > _MOST_RECIPES:
                raise UsageError("ZF011", f"more than {_MOST_RECIPES} recipes in {folder}", "Name a smaller folder.")
            yield file


@dataclass(slots=True)
class _Releases:
    """The files of tags, written once each."""

    root: Path
    place: Path

    def recipe(self, tag: Tag, path: str) -> Recipe:
        """Return a recipe as a tag has it. Raises UsageError."""
        folder = self.place / tag.commit / "files"
        cache = repositories_of(find_workspace(self.root)).cache
        if not folder.is_dir():
            write_files(tag.commit, self.root, folder, tag.name)
        digests = _Everything(folder)
        declared = Declared(self.root.name or "repository", Address(str(self.root), "file"), tag.name)
        tree = Opener(folder, cache).stored_tree(declared, Stored(tag.commit, folder, digests)).as_outermost(path)
        problems = Problems()
        name = posixpath.basename(path)
        recipe = load_recipe(tree.place(name), problems, tree)
        if recipe is None:
            raise InvalidRecipe(problems.in_order())
        return recipe


class _Everything(dict[str, str]):
    """The digests of files that were written a moment ago: worked out when one is asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __contains__(self, path: object) -> bool:
        return (self._folder / str(path)).is_file()

    def __missing__(self, path: str) -> str:
        return hashlib.sha256((self._folder / path).read_bytes()).hexdigest()


async def _compare(
    file: Path, root: Path, tag: Tag, old: _Releases, request: CheckRequest, to: ReadOnlyConnection, problems: Problems
) -> Compared:
    path = file.relative_to(root).as_posix()
    source = local_source(file)
    now = load_recipe(source.path, Problems(), source.tree)
    assert now is not None  # it was valid a moment ago
    place = now.places.value("version") if now.version else now.places.key("name")
    try:
        before = old.recipe(tag, path)
    except ZenflowError as error:
        problems.warning("ZF562", f"not comparable with {tag.name}: {error.message}", place)
        return Compared(path, tag.name, "", now.version, None)
    changes = changes_between(before, now)
    level = level_of(changes)
    plans = await _plans(before, now, root, to)
    dearer = _worst_case(*plans) if plans is not None else None
    if dearer is not None:
        changes, level = (*changes, dearer), "major"
    if level is None and before.files != now.files:
        level = "patch"
    _check_version(before, now, level, changes, tag, place, problems)
    if plans is not None and request.limit is not None:
        _check_cost(*plans, tag, request.limit, now, problems)
    return Compared(path, tag.name, before.version, now.version, level)


def _check_version(
    before: Recipe,
    now: Recipe,
    level: Level | None,
    changes: tuple[RecipeChange, ...],
    tag: Tag,
    place: Place,
    problems: Problems,
) -> None:
    old, new = parse_version(before.version), parse_version(now.version)
    if new is None:
        what = f"`{now.name}` has no version number" if not now.version else f"`{now.version}` is not a version number"
        problems.error(NO_VERSION, what, place, "Write three numbers, as in `version: 1.4.0`.")
        return
    if old is None:
        return
    least = least_version(old, level)
    if new >= least:
        return
    largest = [one for one in changes if level is None or LEVELS.index(one.level) >= LEVELS.index(level)]
    said = "; ".join(f"{one.what} {one}" for one in largest[:_CHANGES_SHOWN])
    said = f"a {level} change since {tag.name} ({said})" if said else f"a change since {tag.name}"
    if new < old and level is None:
        said = f"{tag.name} has {before.version}"
    message = f"the version number {now.version} is too small: {said}"
    problems.error(TOO_SMALL, message, place, f"Write `version: {version_text(least)}`.")


def _check_cost(before: Plan, now: Plan, tag: Tag, limit: Limit, recipe: Recipe, problems: Problems) -> None:
    sides = [side_of(label, plan_document(plan)) for label, plan in ((tag.name, before), ("now", now))]
    for broken in broken_guards(difference(*sides), limit, None):
        message = f"`{recipe.name}` is dearer than {tag.name}: {broken}"
        problems.error(DEARER, message, recipe.places.key("steps"), "Raise the guard if that is meant.")


def _worst_case(before: Plan, now: Plan) -> RecipeChange | None:
    """A run that was within somebody's budget may not be any more."""
    old, new = before.credits.worst, now.credits.worst
    if new <= old:
        return None
    return RecipeChange("budget", "~", "worst case", "major", "", f"{old:f}", f"{new:f} credits")


async def _plans(before: Recipe, now: Recipe, root: Path, to: ReadOnlyConnection) -> tuple[Plan, Plan] | None:
    """Both versions with the same inputs; None where no inputs could be found that both take."""
    for words in example_inputs(now):
        try:
            found = []
            for recipe in (before, now):
                own = [(name, text) for name, text in words if name in recipe.inputs]
                request = RecipeRequest(recipe=str(recipe.path), current=root, inputs=tuple(own))
                found.append(await make_plan(Loaded(recipe, bind_inputs(recipe, own, root)), request, to))
            return found[0], found[1]
        except ZenflowError:
            continue
    return None


def _gone(root: Path, folder: Path, tags: list[Tag], files: list[Path]) -> Iterator[Problem]:
    """Recipes of the last tag that are not here any more: whoever runs them by name cannot update."""
    if not tags:
        return
    said = run_git(["ls-tree", "-r", "-z", "--name-only", "--full-tree", tags[0].commit], root, tags[0].name)
    here = {file.relative_to(root).as_posix() for file in files}
    inside = folder.relative_to(root).as_posix()
    prefix = "" if inside == "." else f"{inside}/"
    for path in said.decode("utf-8", "replace").split("\0"):
        is_recipe = path.startswith(f"{prefix}recipes/") and path.endswith(ENDINGS) and not path.endswith(ENDING)
        if is_recipe and path not in here:
            yield Problem(GONE, f"{path} is in {tags[0].name}, and not here any more", None, None, "warning")


async def _tests(folder: Path, settings: Settings) -> TestReport | None:
    try:
        return await test(TestRequest(path=folder, current=folder), settings)
    except UsageError as error:
        if error.code == NO_TESTS:
            return None
        raise
