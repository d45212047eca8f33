"""Where a recipe is: a file of this workspace, or one of a repository at one commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zenflow.app.config.repositories import boundary_of, repositories_of
from zenflow.app.config.workspace import find_workspace
from zenflow.errors import UsageError
from zenflow.recipe.load import find_recipe, read_recipe_file
from zenflow.recipe.model import Origin
from zenflow.recipe.trees import FolderTree, Tree

if TYPE_CHECKING:
    from zenflow.repos.addresses import RecipeReference
    from zenflow.repos.resolver import Repositories


@dataclass(frozen=True, slots=True)
class RecipeSource:
    """The file, the tree that it may read from, and the name that people know it by."""

    path: Path
    tree: Tree
    name: str


def recipe_source(word: str, current: Path, *, locked: bool = False) -> RecipeSource:
    """Return what a word names: a path, a name in `recipes/`, `NAME:path`, `NAME@REV:path`, `URL@REV:path`.

    A path always wins. `locked`: only what is in `zenflow.lock`. Raises UsageError.
    """
    reference = repository_reference(word, current)
    if reference is None:
        return local_source(find_recipe(word, current))
    if locked and reference.rev is not None:
        from zenflow.repos.resolver import NOT_LOCKED

        hint = "Leave out `--locked`, or name the repository in zenflow.toml and leave out its revision."
        raise UsageError(NOT_LOCKED, f"not locked: `{word}` names a revision of its own", hint)
    tree, name = repositories_of(find_workspace(current)).open(reference, current)
    return RecipeSource(tree.place(name), tree, str(reference))


def recorded_source(origin: Origin, current: Path) -> RecipeSource:
    """Return a recipe of a repository as a plan or a journal has it: at that commit, wherever the lock is now."""
    from zenflow.repos.resolver import reopened

    repositories = repositories_of(find_workspace(current))
    tree, name = reopened(repositories.cache, origin, typed=_is_own(origin, repositories), root=repositories.root)
    return RecipeSource(tree.place(name), tree, f"{origin.label}:{origin.recipe}")


def check_recorded(origins: Iterable[Origin], current: Path) -> None:
    """Before a resume reads a file of a repository, compare every one with what the run had. Raises UsageError."""
    from zenflow.repos.resolver import check_stored

    repositories = repositories_of(find_workspace(current))
    for origin in origins:
        check_stored(repositories.cache, origin, typed=_is_own(origin, repositories), root=repositories.root)


def _is_own(origin: Origin, repositories: Repositories) -> bool:
    """Whether this workspace names that URL: only then may it be a folder of this machine."""
    return any(one.address.url == origin.url for one in repositories.declared().values())


def local_source(path: Path) -> RecipeSource:
    """Return a file of the operator's own."""
    boundary, workspace = boundary_of(path)

    def tree_of(name: str) -> Tree:
        return repositories_of(workspace).tree(name)

    return RecipeSource(path, FolderTree(path.parent, boundary, read_recipe_file, tree_of), str(path))


def verified_place(word: str, current: Path) -> Path | None:
    """Return where a recipe of a repository is, once every locked file beside it was compared; None for any other word.

    `NAME:` alone names all of the repository. Raises UsageError.
    """
    name = word.removesuffix(":")
    reference = repository_reference(f"{word}." if name != word else word, current)
    if reference is None:
        return None
    repositories = repositories_of(find_workspace(current))
    if name != word:
        tree = repositories.tree(reference.repository, "")
        place = tree.boundary / tree.named_from
    else:
        tree, path = repositories.open(reference, current)
        place = tree.place(path)
    for file in tree.digests:
        tree.content(file)
        tree.forget(file)
    return place


def is_repository_word(word: str, current: Path) -> bool:
    """Whether a word that may also be `REV:path` of the folder's own git names a recipe of a repository."""
    reference = repository_reference(word, current)
    if reference is None:
        return False
    return reference.rev is not None or reference.repository in repositories_of(find_workspace(current)).declared()


def repository_reference(word: str, current: Path) -> RecipeReference | None:
    """Return the reference of a word; None for a word that is a path."""
    if ":" not in word:
        return None
    try:
        if (current / word).exists():
            return None
    except (OSError, ValueError):
        return None
    from zenflow.repos.addresses import parse_reference  # most recipes are files of this folder

    return parse_reference(word)
