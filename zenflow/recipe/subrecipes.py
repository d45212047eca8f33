"""Recipes used as steps: found beside the recipe that uses them or in a repository, read once, never in a circle.

A recipe may only use files of its own workspace or repository: a recipe from elsewhere cannot read what is not its own.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from zenflow.errors import UsageError
from zenflow.problems import Place, Problem, Problems, ShownFile
from zenflow.recipe.model import ACTIONS, Origin, Recipe, StepSpec
from zenflow.recipe.text.nodes import Node
from zenflow.recipe.text.reader import decode, parse_yaml
from zenflow.recipe.trees import Tree, is_outside

MAX_COMPOSED = 8
MOST_STEPS = 10_000  # of a recipe with those that it uses, each as often as it is used
_MAX_FILES = 200
_REFERENCE = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{1,63}):(?!//)([^@:\s]+)")
BuildChecked = Callable[[Node, Path, "Library", Problems], Recipe]


@dataclass(frozen=True, slots=True)
class Size:
    """How deep recipes are nested in one, itself included, and how many steps they have."""

    levels: int
    steps: int


@dataclass
class Library:
    """The texts that one recipe is made of, by key, and the trees to read more from. A key is `prefix` and path of a tree."""

    root: str
    top: Tree
    texts: dict[str, str] = field(default_factory=dict)
    open: list[tuple[Tree, str]] = field(default_factory=list)  # from the outermost recipe down to the one being read
    built: dict[str, Recipe] = field(default_factory=dict)
    _sizes: dict[int, Size] = field(default_factory=dict)  # by the identity of recipes in `built`
    trees: dict[str, Tree] = field(default_factory=dict)

    @property
    def tree(self) -> Tree:
        """The tree of the recipe that is being read."""
        return self.open[-1][0] if self.open else self.top

    def keep(self, tree: Tree, path: str, text: str) -> None:
        """Take in a text, and begin to read it."""
        self.texts[tree.prefix + path] = text
        self.trees.setdefault(tree.prefix, tree)
        self.open.append((tree, path))

    def origins(self) -> dict[str, Origin]:
        """Every repository that something was read from, by prefix."""
        return {prefix: tree.origin for prefix, tree in self.trees.items() if tree.origin is not None}

    def size_of(self, recipe: Recipe) -> Size:
        """The size of a recipe that was built here; each file is counted once, however often it is used."""
        found = self._sizes.get(id(recipe))
        if found is None:
            inner = [self.size_of(step.recipe) for step in recipe.steps.values() if step.recipe is not None]
            levels = 1 + max((size.levels for size in inner), default=0)
            found = Size(levels, len(recipe.steps) + sum(size.steps for size in inner))
            self._sizes[id(recipe)] = found
        return found

    def name_of(self, tree: Tree, path: str) -> str:
        """What people call a file: its path in the outermost tree, its full name in a repository."""
        return path if tree.origin is None else tree.shown(path)


def take_in_recipes(recipe: Recipe, library: Library, problems: Problems, build: BuildChecked) -> Recipe:
    """The recipe with the inner recipe of every step that uses one."""
    steps, number = dict(recipe.steps), len(recipe.steps)
    for step_id, step in recipe.steps.items():
        if step.kind == "recipe":
            inner = _inner(step, library, problems, build)
            if inner is None:
                continue
            number += library.size_of(inner).steps
            if number > MOST_STEPS:
                message = f"too many steps: the recipes used here have more than {MOST_STEPS:,} steps together"
                problems.error("ZF230", message, step.places.value("uses"), "Use a recipe once, with `foreach`.")
                break
            steps[step_id] = replace(step, recipe=inner)
    return replace(recipe, steps=steps)


def _inner(step: StepSpec, library: Library, problems: Problems, build: BuildChecked) -> Recipe | None:
    place = step.places.value("uses")
    found_at = _locate(step.uses, library, place, problems)
    if found_at is None:
        return None
    tree, path_in_tree = found_at
    name, shown = tree.prefix + path_in_tree, library.name_of(tree, path_in_tree)
    keys = [one.prefix + path for one, path in library.open]
    if name in keys:
        around = [library.name_of(one, path) for one, path in library.open[keys.index(name) :]]
        path = " → ".join((*around, shown))
        problems.error(
            "ZF229", f"the recipe uses itself: {path}", place, "Break the circle: recipes are used downwards only."
        )
        return None
    if len(library.open) > MAX_COMPOSED:
        path = " → ".join((*(library.name_of(one, at) for one, at in library.open), shown))
        problems.error("ZF230", f"recipes are nested deeper than {MAX_COMPOSED}: {path}", place)
        return None
    if name not in library.built:
        found = _read(tree, path_in_tree, library, place, problems, build)
        if found is None:
            return None
        library.built[name] = found
    elif len(library.open) + library.size_of(library.built[name]).levels > MAX_COMPOSED + 1:
        problems.error("ZF230", f"recipes are nested deeper than {MAX_COMPOSED}, through `{shown}`", place)
        return None
    return library.built[name]


def _locate(uses: str, library: Library, place: Place, problems: Problems) -> tuple[Tree, str] | None:
    """The tree, and the path in it."""
    reference = split_reference(uses)
    if reference is not None:
        return _in_repository(uses, *reference, library, place, problems)
    if "://" in uses or re.search(r"@[\w.-]+$", uses):
        _refuse_address(uses, place, problems)
        return None
    written = uses.replace("\\", "/")
    if written.startswith(("/", "~")) or written[1:2] == ":":
        problems.error(
            "ZF231", f"`{uses}`: a recipe is named by a path relative to this file", place, "As in `./portrait.yaml`."
        )
        return None
    tree, current = library.open[-1]
    name = posixpath.normpath(posixpath.join(posixpath.dirname(current), written))
    if is_outside(tree.place(name), tree.boundary):
        message = f"`{uses}` leads out of {_boundary_word(tree)}"
        problems.error("ZF231", message, place, "Put it into that folder, or into one below it.")
        return None
    return tree, name


def split_reference(uses: str) -> tuple[str, str] | None:
    """`NAME:path` → its two parts; None for what has not that form."""
    found = _REFERENCE.fullmatch(uses)
    return None if found is None else (found[1], found[2])


def _in_repository(
    uses: str, name: str, path: str, library: Library, place: Place, problems: Problems
) -> tuple[Tree, str] | None:
    plain = posixpath.normpath(path)
    if plain.startswith(("../", "/")) or plain == ".." or "\\" in path:
        message = f"`{uses}`: a path in a repository begins at its root and stays below it"
        problems.error("ZF231", message, place, f"As in `uses: {name}:templates/look`.")
        return None
    try:
        tree = library.tree.repository(name)
        return tree, tree.find(plain)
    except UsageError as error:
        problems.error(error.code, f"`{uses}`: {error.message}", place, error.hint)
        return None


def _refuse_address(uses: str, place: Place, problems: Problems) -> None:
    hint = "Name the repository in `zenflow.toml`: `zenflow repo add NAME URL --rev TAG`; then write `NAME:path`."
    if "://" not in uses and not uses.startswith("."):
        alone = re.split(r"[/@]", uses)[-2]
        named = alone if alone in ACTIONS else "upload"
        hint = f"Actions and tools are named alone, as in `uses: {named}`; a recipe is a file here: `./portrait.yaml`."
    problems.error("ZF231", f"`{uses}`: a recipe is a file here, or `NAME:path` in a repository", place, hint)


def _boundary_word(tree: Tree) -> str:
    if tree.origin is not None:
        return f"the repository {tree.origin.label}"
    is_workspace = tree.boundary.resolve() != tree.place(".").resolve()
    return "the workspace" if is_workspace else "the folder of the recipe that is run"


def _read(
    tree: Tree, path: str, library: Library, place: Place, problems: Problems, build: BuildChecked
) -> Recipe | None:
    if len(library.texts) >= _MAX_FILES:
        problems.error("ZF230", f"more than {_MAX_FILES} recipes are used", place)
        return None
    name, on_disk = library.name_of(tree, path), tree.place(path)
    try:
        data = tree.read(path)
    except UsageError as error:
        code = error.code if error.code not in ("ZF011", "ZF012", "ZF013") else "ZF228"
        message = error.message if code == "ZF231" else error.message.replace(str(on_disk), name)
        problems.extend([Problem(code, message, place, error.hint)])
        return None
    shown = shown_file(tree, path)
    text = data if isinstance(data, str) else decode(data, shown, problems)
    node = None if text is None else parse_yaml(text, shown, problems)
    if text is None or node is None:
        problems.error("ZF228", f"`{name}` is no recipe that can be read", place)
        return None
    library.keep(tree, path, text)
    try:
        return build(node, on_disk, library, problems)
    finally:
        library.open.pop()


def shown_file(tree: Tree, path: str) -> str:
    """The name of a file for places of problems; one of a repository also knows where its text is."""
    shown = tree.shown(path)
    return shown if tree.origin is None else ShownFile.of(shown, str(tree.place(path)))
