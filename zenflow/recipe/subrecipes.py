"""Recipes used as steps: found beside the recipe that uses them, read once, never in a circle.

A recipe may only use files of the folder in which the outermost one lies, or below it: a recipe from elsewhere cannot
read what is not its own.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from zenflow.errors import UsageError
from zenflow.problems import Place, Problem, Problems
from zenflow.recipe.model import ACTIONS, Recipe, StepSpec
from zenflow.recipe.text.nodes import Node
from zenflow.recipe.text.reader import decode, parse_yaml

MAX_COMPOSED = 8
_MAX_FILES = 200
BuildChecked = Callable[[Node, Path, "Library", Problems], Recipe]


@dataclass
class Library:
    """The texts that one recipe is made of, by path from the folder of the outermost one, and how to read more."""

    root: str
    read: Callable[[str], bytes | str]
    display: Callable[[str], Path]
    texts: dict[str, str] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)  # from the outermost recipe down to the one being read
    built: dict[str, Recipe] = field(default_factory=dict)

    @classmethod
    def on_disk(cls, path: Path, read: Callable[[Path], bytes]) -> Library:
        folder = path.parent

        def read_inside(name: str) -> bytes:
            return read(path if name == path.name else _inside(folder, name))

        return cls(path.name, read_inside, lambda name: folder / name)

    @classmethod
    def of_texts(cls, files: Mapping[str, str], root: str, folder: Path) -> Library:
        def read(name: str) -> str:
            if name not in files:
                raise UsageError("ZF011", f"the stored recipe has no file {name}", None)
            return files[name]

        return cls(root, read, lambda name: folder / name)

    def read_root(self) -> bytes | str:
        return self.read(self.root)

    def keep_root(self, text: str) -> None:
        self.texts[self.root] = text
        self.open.append(self.root)


def _inside(folder: Path, name: str) -> Path:
    """A link that leads out of the folder is no way out of it."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageError("ZF231", f"{name} leads out of the folder of the recipe", None)
    return path


def take_in_recipes(recipe: Recipe, library: Library, problems: Problems, build: BuildChecked) -> Recipe:
    """The recipe with the inner recipe of every step that uses one."""
    steps = dict(recipe.steps)
    for step_id, step in recipe.steps.items():
        if step.kind == "recipe":
            inner = _inner(step, library, problems, build)
            if inner is not None:
                steps[step_id] = replace(step, recipe=inner)
    return replace(recipe, steps=steps)


def _inner(step: StepSpec, library: Library, problems: Problems, build: BuildChecked) -> Recipe | None:
    place = step.places.value("uses")
    name = _name_of(step.uses, library, place, problems)
    if name is None:
        return None
    if name in library.open:
        path = " → ".join((*library.open[library.open.index(name) :], name))
        problems.error(
            "ZF229", f"the recipe uses itself: {path}", place, "Break the circle: recipes are used downwards only."
        )
        return None
    if len(library.open) > MAX_COMPOSED:
        path = " → ".join((*library.open, name))
        problems.error("ZF230", f"recipes are nested deeper than {MAX_COMPOSED}: {path}", place)
        return None
    if name not in library.built:
        found = _read(name, library, place, problems, build)
        if found is None:
            return None
        library.built[name] = found
    elif len(library.open) + _levels(library.built[name]) > MAX_COMPOSED + 1:
        problems.error("ZF230", f"recipes are nested deeper than {MAX_COMPOSED}, through `{name}`", place)
        return None
    return library.built[name]


def _levels(recipe: Recipe) -> int:
    """1 for a recipe that uses no other."""
    return 1 + max((_levels(step.recipe) for step in recipe.steps.values() if step.recipe is not None), default=0)


def _name_of(uses: str, library: Library, place: Place, problems: Problems) -> str | None:
    """The path from the outermost recipe's folder, with `/`."""
    if "://" in uses or re.search(r"@[\w.-]+$", uses):
        message = f"`{uses}`: a recipe is a file beside this one; none is fetched from elsewhere"
        hint = "Save it here, and name it as in `./portrait.yaml`."
        if "://" not in uses and not uses.startswith("."):
            alone = re.split(r"[/@]", uses)[-2]
            named = alone if alone in ACTIONS else "upload"
            hint = (
                f"Actions and tools are named alone, as in `uses: {named}`; a recipe is a file here: `./portrait.yaml`."
            )
        problems.error("ZF231", message, place, hint)
        return None
    written = uses.replace("\\", "/")
    if written.startswith(("/", "~")) or written[1:2] == ":":
        problems.error(
            "ZF231", f"`{uses}`: a recipe is named by a path relative to this file", place, "As in `./portrait.yaml`."
        )
        return None
    name = posixpath.normpath(posixpath.join(posixpath.dirname(library.open[-1]), written))
    if name.startswith("../") or name == "..":
        message = f"`{uses}` leads out of the folder of the recipe that is run"
        problems.error("ZF231", message, place, "Put it into that folder, or into one below it.")
        return None
    return name


def _read(name: str, library: Library, place: Place, problems: Problems, build: BuildChecked) -> Recipe | None:
    if len(library.texts) >= _MAX_FILES:
        problems.error("ZF230", f"more than {_MAX_FILES} recipes are used", place)
        return None
    try:
        data = library.read(name)
    except UsageError as error:
        code = "ZF231" if error.code == "ZF231" else "ZF228"
        message = error.message if code == "ZF231" else error.message.replace(str(library.display(name)), name)
        problems.extend([Problem(code, message, place, error.hint)])
        return None
    display = library.display(name)
    text = data if isinstance(data, str) else decode(data, str(display), problems)
    node = None if text is None else parse_yaml(text, str(display), problems)
    if text is None or node is None:
        problems.error("ZF228", f"`{name}` is no recipe that can be read", place)
        return None
    library.texts[name] = text
    library.open.append(name)
    try:
        return build(node, display, library, problems)
    finally:
        library.open.pop()
