"""Which recipes of this workspace an update of a repository concerns: those that it has run, and those that use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zenflow.app.config.repositories import boundary_of
from zenflow.errors import ZenflowError
from zenflow.history.events import RunStarted
from zenflow.journal.base import Journal
from zenflow.problems import Problems
from zenflow.recipe.load import load_recipe, read_recipe_file
from zenflow.recipe.origins import origins_of
from zenflow.recipe.trees import ENDINGS, FolderTree, Tree
from zenflow.repos.resolver import Repositories, RepositoryTree

MOST_RUNS = 200
MOST_RECIPES = 100


@dataclass(frozen=True, slots=True)
class InUse:
    """One recipe. `path`: in the repository, or on disk for one of the workspace's own. `last`: its last run here."""

    word: str
    path: str | Path
    last: RunStarted | None


def recipes_in_use(name: str, repositories: Repositories, journal: Journal) -> tuple[InUse, ...]:
    """Return the recipes that use a repository here; all of its own where none does."""
    runs = list(_runs(journal))
    tree = repositories.tree(name, "")
    used = [*_run_of(name, tree, runs), *_using(name, repositories, runs)]
    if used:
        return tuple(used[:MOST_RECIPES])
    return tuple(InUse(f"{name}:{word}", path, None) for word, path in sorted(tree.recipes().items())[:MOST_RECIPES])


def _runs(journal: Journal) -> Iterator[RunStarted]:
    """The starts of runs, the newest first."""
    for row in journal.runs()[:MOST_RUNS]:
        started = next((one for one in journal.events(row.run_id) if isinstance(one, RunStarted)), None)
        if started is not None:
            yield started


def _run_of(name: str, tree: RepositoryTree, runs: list[RunStarted]) -> Iterator[InUse]:
    """Recipes of the repository itself that were run."""
    seen: set[str] = set()
    for started in runs:
        origin = origins_of(started.recipe_origins).get("")
        if origin is None or origin.url != tree.origin.url or origin.recipe in seen:
            continue
        seen.add(origin.recipe)
        inside = f"{origin.base}/{started.recipe_root}" if origin.base else started.recipe_root
        word = origin.recipe.rpartition(".")[0].removeprefix("recipes/")
        yield InUse(f"{name}:{word}", inside, started)


def _using(name: str, repositories: Repositories, runs: list[RunStarted]) -> Iterator[InUse]:
    """Recipes of the workspace that use one of the repository's, directly or through others."""
    folder = repositories.root / "recipes"
    files = sorted(one for one in folder.rglob("*") if one.suffix in ENDINGS and not one.stem.endswith(".test"))
    mention = re.compile(rf"uses:\s*[\"']?{re.escape(name)}:".encode())
    if not any(mention.search(read_recipe_file(one)) for one in files):
        return
    by_root = {(Path(one.recipe_folder) / one.recipe_root).resolve(): one for one in reversed(runs)}
    for file in files:
        try:
            recipe = load_recipe(file, Problems(), local_tree(file, repositories))
        except ZenflowError:
            continue
        if recipe is not None and f"{name}://" in recipe.origins:
            shown = file.relative_to(folder)
            word = shown.stem if shown.parent == Path() else str(file.relative_to(repositories.root))
            yield InUse(word, file, by_root.get(file.resolve()))


def local_tree(file: Path, repositories: Repositories, instead: RepositoryTree | None = None) -> FolderTree:
    """Return the tree of a recipe of the workspace. `instead`: one repository at another commit."""

    def opened(name: str) -> Tree:
        return instead if instead is not None and name == instead.name else repositories.tree(name)

    return FolderTree(file.parent, boundary_of(file)[0], read_recipe_file, opened)
