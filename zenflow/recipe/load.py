"""Reading a recipe: decode, parse, check the form, build, take in the recipes it uses, check the rest. On one screen."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from zenflow.errors import InvalidRecipe, UsageError
from zenflow.host.reading import read_regular
from zenflow.ids import digest_of
from zenflow.problems import Problems
from zenflow.recipe.build import build_recipe
from zenflow.recipe.checks.all_checks import check_recipe
from zenflow.recipe.checks.repository_files import check_repository_files
from zenflow.recipe.model import Origin, Recipe
from zenflow.recipe.schema.structure import is_valid
from zenflow.recipe.subrecipes import Library, shown_file, take_in_recipes
from zenflow.recipe.text.nodes import Node
from zenflow.recipe.text.reader import MAX_BYTES, decode, parse_yaml
from zenflow.recipe.trees import ENDINGS, FolderTree, StoredTree, Tree
from zenflow.suggest import nearest

_LARGE = 200_000  # objects made: a recipe of 3,000 steps
_TURN = 8
_TIMES = count(1)
NO_RECIPES = "There is no folder `recipes` here or above: change to your workspace, or make one with `zenflow init`."


def load_recipe(path: Path, problems: Problems, tree: Tree | None = None) -> Recipe | None:
    """The recipe of a file with every recipe that it uses; None when there are errors, all of them in `problems`.

    `tree`: where it may read; left out, its own folder. Raises `UsageError` when there is no such file, or nothing that
    can be read.
    """
    return _load(_library(path, tree), problems)


def load_draft(path: Path, problems: Problems, tree: Tree | None = None) -> Recipe | None:
    """As `load_recipe`, but given as far as it could be built also with errors, so that more can be found in it."""
    return _load(_library(path, tree), problems, keep=True)


def load_recipe_texts(
    files: Mapping[str, str],
    root: str,
    folder: Path | None = None,
    boundary: Path | None = None,
    origins: Mapping[str, Origin] | None = None,
) -> Recipe:
    """The recipe of a stored run, from the texts stored with it (`Recipe.files`). Raises `InvalidRecipe`.

    `folder` is where the outermost one lay: relative paths in it mean files beside it, now as then.
    """
    problems = Problems()
    folder = folder or Path()
    tree = StoredTree(files, folder, boundary or folder, origins or {})
    recipe = _load(Library(root, tree), problems)
    if recipe is None:
        raise InvalidRecipe(problems.in_order())
    return recipe


def _library(path: Path, tree: Tree | None) -> Library:
    return Library(path.name, tree or FolderTree(path.parent, path.parent, read_recipe_file))


def _load(library: Library, problems: Problems, *, keep: bool = False) -> Recipe | None:
    tree, root = library.top, library.root
    shown = shown_file(tree, root)
    data = tree.read(root)
    text = data if isinstance(data, str) else decode(data, shown, problems)
    if text is None:
        return None
    library.keep(tree, root, text)
    with collector_paused():
        node = parse_yaml(text, shown, problems)
        if node is None:
            return None
        recipe = _build_checked(node, tree.place(root), library, problems)
    if problems.has_errors and not keep:
        return None
    digest = digest_of(library.texts)
    return replace(recipe, digest=digest, files=dict(library.texts), origins=library.origins())


def _build_checked(node: Node, path: Path, library: Library, problems: Problems) -> Recipe:
    if not is_valid(node.value):
        from zenflow.recipe.schema.explain import check_structure  # only wrong recipes need it

        check_structure(node, problems)
    tree = library.tree
    recipe = replace(build_recipe(node, path, problems), boundary=tree.boundary, origin=tree.origin)
    recipe = take_in_recipes(recipe, library, problems, _build_checked)
    check_recipe(recipe, node, problems)
    if tree.origin is not None:
        check_repository_files(recipe, tree, problems)
    return recipe


@contextmanager
def collector_paused() -> Iterator[None]:
    """A tree of 1,000 steps is 50,000 live objects and no garbage; walking them again and again took two thirds of the
    time (measured: 110 ms with the collector, 35 without). Nor are they walked once when it is switched on again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            _count_as_old()
            gc.enable()


def _count_as_old() -> None:
    """All that was made meanwhile goes among the old objects unwalked, which took 190 of 950 ms for 10,000 steps.

    `freeze` and `unfreeze` do that in no time; where the program keeps frozen objects of its own, they stay frozen. Both begin
    the collector's counts anew, so that a program of which this is a part would never find its own old garbage: it is done
    for what is large alone, and every few times the collector has its turn.
    """
    if gc.get_count()[0] < _LARGE or gc.get_freeze_count() > 0:
        return
    if next(_TIMES) % _TURN == 0:
        gc.collect()
        return
    gc.freeze()
    gc.unfreeze()


def read_recipe_file(path: Path) -> bytes:
    """The bytes of a file that somebody named; at most one more than a recipe may have, whatever its size."""
    try:
        if path.is_dir():
            raise UsageError("ZF012", f"{path} is a folder, not a recipe", _instead(path))
        return read_regular(path, MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError("ZF011", f"there is no file {path}", _instead(path.parent, path.name)) from None
    except OSError as error:
        raise UsageError("ZF013", f"{path} cannot be read: {error.strerror or error}", None) from None
    except ValueError:
        raise UsageError("ZF011", "the path of a recipe cannot hold a NUL character", None) from None


def find_recipe(word: str, start: Path) -> Path:
    """`photoshoot` finds recipes/photoshoot.yaml in `start` or above it; a path always wins. Raises `UsageError`."""
    try:
        direct = Path(word)
        placed = direct if direct.is_absolute() else start / direct
        if placed.is_file() or "/" in word or "\\" in word or word.endswith(ENDINGS):
            return _existing(placed, word)
        for folder in (start, *start.parents):
            for ending in ENDINGS:
                candidate = folder / "recipes" / f"{word}{ending}"
                if candidate.is_file():
                    return candidate
    except (OSError, ValueError) as error:
        raise UsageError("ZF011", f"there is no recipe {word!r}: {error}", None) from None
    if placed.is_dir():
        raise UsageError("ZF012", f"{word} is a folder, not a recipe", _instead(placed))
    recipes = _recipes_of(start)
    hint = NO_RECIPES if recipes is None else _instead(recipes, word)
    raise UsageError("ZF011", f"there is no recipe `{word}`", hint)


def recipe_names(start: Path) -> list[str]:
    """What may stand for RECIPE here: the names in the nearest `recipes` folder, of `start` or above it; may be empty."""
    folder = _recipes_of(start)
    try:
        return [] if folder is None else sorted(one.stem for one in folder.iterdir() if _is_recipe(one))
    except OSError:
        return []


def _recipes_of(start: Path) -> Path | None:
    """The nearest `recipes` folder; one that may not be looked at is none."""
    for above in (start, *start.parents):
        try:
            if (above / "recipes").is_dir():
                return above / "recipes"
        except OSError:
            continue
    return None


def _is_recipe(file: Path) -> bool:
    return file.suffix in ENDINGS and not file.stem.endswith(".test")


def _existing(path: Path, word: str) -> Path:
    if path.is_dir():
        raise UsageError("ZF012", f"{word} is a folder, not a recipe", _instead(path))
    if not path.exists():
        raise UsageError("ZF011", f"there is no file {word}", _instead(path.parent, path.name))
    return path


def _instead(folder: Path, word: str = "") -> str | None:
    """The recipes that are there."""
    try:
        names = sorted(entry.name for entry in folder.iterdir() if _is_recipe(entry))[:200]
    except OSError:
        return f"There is no folder {folder} either." if word and folder.name != "recipes" else None
    if not names:
        return "Make a first one with `zenflow init`."
    near = next((name for name in names if name.rpartition(".")[0] == word), None)
    near = near or nearest(word, names) or (nearest(word, [Path(name).stem for name in names]) if word else None)
    listing = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    return f"Did you mean `{near}`? There are: {listing}." if near else f"There are: {listing}."
