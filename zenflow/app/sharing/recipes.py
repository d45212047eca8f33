"""Every recipe that can be run here: those of the workspace, and those of each repository. Works offline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from zenflow.app.config.repositories import repositories_of
from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.errors import UsageError
from zenflow.history.events import RunStarted
from zenflow.recipe.load import read_recipe_file, recipe_names
from zenflow.recipe.origins import origins_of
from zenflow.recipe.summary import RecipeSummary, summary_of
from zenflow.recipe.trees import ENDINGS
from zenflow.repos.resolver import Repositories, RepositoryTree

MOST_RUNS = 200  # that are looked through for the last price


@dataclass(frozen=True, slots=True)
class LastPrice:
    """What the last run was expected to cost."""

    expected: Decimal
    at: str


@dataclass(frozen=True, slots=True)
class ListedRecipe:
    """One recipe. `word`: what `zenflow run` takes; `repository`: `studio@v1.4.0`, empty for the workspace's own."""

    word: str
    repository: str
    summary: RecipeSummary
    price: LastPrice | None


@dataclass(frozen=True, slots=True)
class RecipeList:
    """`problems`: repositories that cannot be listed, by name."""

    recipes: tuple[ListedRecipe, ...]
    problems: Mapping[str, UsageError]


async def list_recipes(settings: Settings, current: Path) -> RecipeList:
    """Return every recipe with its last price."""
    prices = await _last_prices(settings)
    found = [ListedRecipe(name, "", summary, prices.get(("", summary.name))) for name, summary in _own(current)]
    problems: dict[str, UsageError] = {}
    repositories = repositories_of(settings.workspace)
    for name in repositories.declared():
        try:
            found += _of_repository(repositories, name, prices)
        except UsageError as error:
            problems[name] = error
    return RecipeList(tuple(found), problems)


def _own(current: Path) -> Iterator[tuple[str, RecipeSummary]]:
    names = recipe_names(current)
    folder = next((one / "recipes" for one in (current, *current.parents) if (one / "recipes").is_dir()), None)
    for name in names if folder is not None else []:
        assert folder is not None
        file = next((folder / f"{name}{ending}" for ending in ENDINGS if (folder / f"{name}{ending}").is_file()), None)
        if file is not None:
            yield name, summary_of(read_recipe_file(file))


def _of_repository(
    repositories: Repositories, name: str, prices: Mapping[tuple[str, str], LastPrice]
) -> Iterator[ListedRecipe]:
    tree: RepositoryTree = repositories.tree(name)
    for word, path in sorted(tree.recipes().items()):
        summary = summary_of(tree.content(path))
        tree.forget(path)
        price = prices.get((tree.origin.url, summary.name))
        yield ListedRecipe(f"{name}:{word}", tree.origin.label, summary, price)


async def _last_prices(settings: Settings) -> dict[tuple[str, str], LastPrice]:
    """By repository and recipe, from the newest runs of the journal."""
    journal = wiring.open_journal(settings, wiring.clock(), read_only=True)
    found: dict[tuple[str, str], LastPrice] = {}
    try:
        for row in journal.runs()[:MOST_RUNS]:
            started = next((one for one in journal.events(row.run_id) if isinstance(one, RunStarted)), None)
            if started is None:
                continue
            origin = origins_of(started.recipe_origins).get("")
            key = ("" if origin is None else origin.url, started.recipe_name)
            found.setdefault(key, LastPrice(started.planned_expected, started.at))
    finally:
        await journal.close()
    return found
