"""Take a newer revision of a repository: what that changes, costs and loses is known before anything is written."""

from __future__ import annotations

import posixpath
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from zenflow.app.config.repositories import repositories_of
from zenflow.app.config.settings import Settings
from zenflow.app.config.workspace import FILE, Workspace
from zenflow.app.connection.wiring import ReadOnlyConnection, connect_read_only
from zenflow.app.planning.explain_reuse import given_inputs
from zenflow.app.planning.plan_file import word_of
from zenflow.app.planning.prepare import Loaded, RecipeRequest, make_plan
from zenflow.app.planning.reuse import preview_reuse
from zenflow.app.planning.reuse_options import ReuseOptions
from zenflow.app.sharing.inventory import newer_tags
from zenflow.app.sharing.lock import branch_warning
from zenflow.app.sharing.recipes_in_use import InUse, local_tree, recipes_in_use
from zenflow.clock import SystemClock
from zenflow.credits import ZERO
from zenflow.errors import InvalidRecipe, UsageError, ZenflowError
from zenflow.history.events import RunStarted
from zenflow.plan.model import Plan
from zenflow.plan.output.diff import PlanDifference, difference, side_of
from zenflow.plan.output.document import plan_document
from zenflow.problems import Problems
from zenflow.recipe.changes import RecipeChange, changes_between
from zenflow.recipe.checks.sources import check_sources
from zenflow.recipe.inputs.bind import bind_inputs
from zenflow.recipe.load import load_recipe
from zenflow.recipe.model import Recipe
from zenflow.recipe.trees import Tree
from zenflow.repos.addresses import checked_revision
from zenflow.repos.cache import moved_tag
from zenflow.repos.config import Declared
from zenflow.repos.editing import set_revision
from zenflow.repos.locker import Pinned, editing, is_mutable, pin, write_pins
from zenflow.repos.lockfile import Locked
from zenflow.repos.remote import Refs
from zenflow.repos.resolver import NOT_LOCKED, Opener, Repositories, RepositoryTree

NOT_HERE = "ZF011"


@dataclass(frozen=True, slots=True)
class LostResult:
    """A paid result of an earlier run that the new version could not take any more."""

    run_id: str
    instance: str
    credits: Decimal


@dataclass(frozen=True, slots=True)
class RecipeUpdate:
    """What an update does to one recipe. `cost`: None where it cannot be told, and `problem` says why."""

    word: str
    inputs_from: str  # the run whose inputs were taken; empty: defaults
    changes: tuple[RecipeChange, ...]
    cost: PlanDifference | None
    lost: tuple[LostResult, ...]
    problem: str = ""
    versions: tuple[str, str] = ("", "")

    @property
    def is_same(self) -> bool:
        return not self.changes and not self.problem and not self.lost and (self.cost is None or self.cost.is_empty)


@dataclass(frozen=True, slots=True)
class RepositoryUpdate:
    """One repository. `pinned.now` is what would be locked; `newer`: further tags, the newest first."""

    name: str
    pinned: Pinned
    recipes: tuple[RecipeUpdate, ...]
    newer: tuple[str, ...]
    warning: str = ""

    @property
    def is_newer(self) -> bool:
        return self.pinned.is_new


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequest:
    names: tuple[str, ...] = ()  # none: every repository
    rev: str | None = None
    accept_moved: bool = False


async def find_updates(request: UpdateRequest, settings: Settings) -> tuple[RepositoryUpdate, ...]:
    """Ask each repository for what is newer, and compare. Writes nothing but the cache. Raises UsageError, ServiceError."""
    repositories = repositories_of(settings.workspace)
    declared = repositories.declared()
    names = request.names or tuple(declared)
    for name in names:
        repositories.named(name)
    found = []
    async with connect_read_only(settings) as to:
        for name in names:
            found.append(await _update(declared[name], request, repositories, to))
    return tuple(found)


def take_updates(updates: Sequence[RepositoryUpdate], workspace: Workspace) -> None:
    """Write the new revisions into `zenflow.toml` and `zenflow.lock`. Raises UsageError."""
    repositories = repositories_of(workspace)
    with editing(workspace.root):
        lock, declared = repositories.lock(), repositories.declared()
        for one in updates:
            if declared[one.name].rev != one.pinned.now.rev:
                set_revision(workspace.file or workspace.root / FILE, one.name, one.pinned.now.rev)
        write_pins(workspace.root, lock, [one.pinned for one in updates], declared)


async def _update(
    declared: Declared, request: UpdateRequest, repositories: Repositories, to: ReadOnlyConnection
) -> RepositoryUpdate:
    locked = repositories.lock().repos.get(declared.name)
    if locked is None:
        hint = "`zenflow repo lock` pins it first."
        raise UsageError(NOT_LOCKED, f"repository not locked: `{declared.name}` is not in zenflow.lock", hint)
    refs = repositories.cache.ask_refs(declared.address, accept_moved=request.accept_moved)
    newer = newer_tags(declared.rev, tuple(refs.tags))
    rev = checked_revision(request.rev) if request.rev else newer[0] if newer else declared.rev
    wanted = replace(declared, rev=rev)
    today = SystemClock().now().date().isoformat()
    if not request.accept_moved:
        _refuse_moved(declared, locked, refs)
    pinned = pin(repositories, wanted, locked, today=today, accept_moved=request.accept_moved, offline=True)
    recipes: tuple[RecipeUpdate, ...] = ()
    if pinned.is_new:
        recipes = tuple([one async for one in _recipes(declared, locked, pinned, repositories, to)])
    warning = branch_warning(declared.name, rev) if is_mutable(repositories, wanted) else ""
    return RepositoryUpdate(declared.name, pinned, recipes, newer, warning)


def _refuse_moved(declared: Declared, locked: Locked, refs: Refs) -> None:
    """The locked tag itself must be what it was, also where a newer one is taken."""
    tag = refs.tags.get(locked.rev)
    if tag is not None and tag.commit != locked.commit:
        raise moved_tag(declared.name, locked.rev, locked.commit, tag.commit)


async def _recipes(
    declared: Declared, locked: Locked, pinned: Pinned, repositories: Repositories, to: ReadOnlyConnection
) -> AsyncIterator[RecipeUpdate]:
    """What changes for every recipe in use, one after the other."""
    opener = Opener(repositories.root, repositories.cache)
    old_one = replace(declared, rev=locked.rev)
    stored = [repositories.cache.ensure(declared.address, one.commit, declared.name) for one in (locked, pinned.now)]
    old = opener.stored_tree(old_one, stored[0], f"{declared.name}://")
    new = opener.stored_tree(pinned.declared, stored[1], f"{declared.name}://")
    for one in recipes_in_use(declared.name, repositories, to.journal):
        yield await _compare(one, old, new, repositories, to)


async def _compare(
    one: InUse, old: RepositoryTree, new: RepositoryTree, repositories: Repositories, to: ReadOnlyConnection
) -> RecipeUpdate:
    started = one.last
    came_from = "" if started is None else started.run_id
    try:
        before, after = (_load(one, tree, repositories) for tree in (old, new))
    except ZenflowError as error:
        return RecipeUpdate(one.word, came_from, (), None, (), error.message)
    changes, versions = changes_between(before, after), (before.version, after.version)
    try:
        plans = [await _planned(recipe, started, repositories.root, to) for recipe in (before, after)]
    except ZenflowError as error:
        return RecipeUpdate(one.word, came_from, changes, None, (), error.message, versions)
    sides = [side_of(tree.origin.label, plan_document(plan)) for tree, plan in zip((old, new), plans, strict=True)]
    lost = () if started is None else await _lost(started.run_id, plans[0], plans[1], to)
    return RecipeUpdate(one.word, came_from, changes, difference(*sides), lost, "", versions)


def _load(one: InUse, tree: RepositoryTree, repositories: Repositories) -> Recipe:
    problems = Problems()
    source: Tree
    if isinstance(one.path, Path):
        path, source = one.path, local_tree(one.path, repositories, tree)
    else:
        if one.path not in tree.digests:
            raise UsageError(NOT_HERE, f"{tree.origin.label} has no recipe `{one.word.partition(':')[2]}` any more")
        source = tree.as_outermost(one.path)
        path = source.place(posixpath.basename(one.path))
    recipe = load_recipe(path, problems, source)
    if recipe is not None:
        check_sources(recipe, problems)
    if recipe is None or problems.has_errors:
        raise InvalidRecipe(problems.in_order())
    return recipe


async def _planned(recipe: Recipe, started: RunStarted | None, current: Path, to: ReadOnlyConnection) -> Plan:
    """The plan with the inputs of the last run, as far as the recipe has them; else with its defaults."""
    given = {} if started is None else given_inputs(started)
    words = [(name, word_of(value)) for name, value in given.items() if name in recipe.inputs]
    request = RecipeRequest(recipe=str(recipe.path), current=current, inputs=tuple(words))
    return await make_plan(Loaded(recipe, bind_inputs(recipe, words, current)), request, to)


async def _lost(run_id: str, before: Plan, after: Plan, to: ReadOnlyConnection) -> tuple[LostResult, ...]:
    """Paid results of a run that `--reuse` would take now, and not after the update."""
    kept = []
    for plan in (before, after):
        account_id = "" if plan.account is None else plan.account.account_id
        seen = await preview_reuse(
            plan.recipe, plan.inputs, plan.max_overrides, ReuseOptions(source=run_id), to, account_id, plan.catalog
        )
        kept.append({(one.run_id, one.instance): one.credits for one in seen.reuse.kept})
    return tuple(
        LostResult(*place, credits) for place, credits in kept[0].items() if place not in kept[1] and credits > ZERO
    )
