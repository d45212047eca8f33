"""What the author wrote, checked for form and built into nouns. Knows nothing of tools, prices or runs.

Every value that may hold an expression is a `Template`-bearing tree (see `expr/template`): plain JSON values with
`Template` leaves. `places` answers “where was that written?” by path from the node's root, e.g. `("with", "model")`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from zenflow.expr.template import Template
from zenflow.problems import Place

PathKey: TypeAlias = tuple[str | int, ...]
Written: TypeAlias = Any  # JSON with Template leaves

Action = Literal["upload", "describe", "craft_prompt", "download", "preview", "pick"]
ACTIONS: tuple[Action, ...] = ("upload", "describe", "craft_prompt", "download", "preview", "pick")


@dataclass(frozen=True, slots=True)
class Places:
    """Where each key and value of one subtree stands. `key(path)` and `value(path)` fall back to the nearest parent."""

    keys: Mapping[PathKey, Place]
    values: Mapping[PathKey, Place]
    root: Place

    def key(self, *path: str | int) -> Place:
        return self._near(self.keys, path)

    def value(self, *path: str | int) -> Place:
        return self._near(self.values, path)

    def _near(self, table: Mapping[PathKey, Place], path: PathKey) -> Place:
        if path in table:
            return table[path]
        while path:
            path = path[:-1]
            if path in self.values:
                return self.values[path]
        return self.root


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One declared input (rule 6). `schema` is plain JSON Schema plus the types image, video and audio."""

    name: str
    schema: Mapping[str, Any]
    type: str
    required: bool
    default: Any  # meaningful when not required; None also stands for `default: null`
    description: str | None
    places: Places


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One step as written. `uses` is an action, a tool's name, or a path to another recipe."""

    id: str
    uses: str
    kind: Literal["action", "tool", "recipe"]
    with_: Mapping[str, Written]
    foreach: Written | None  # a list, a Template, or a mapping of names to such; None: no fan-out
    max: int | Template | None
    if_: Template | bool | None
    needs: tuple[str, ...]
    retry: int
    timeout_s: float | None
    on_error: Literal["fail", "continue"]
    reuse: bool | None
    max_credits: float | int | None
    places: Places
    recipe: Recipe | None = None  # the inner recipe, when `kind` is "recipe"

    @property
    def fans_out(self) -> bool:
        return self.foreach is not None


@dataclass(frozen=True, slots=True)
class Origin:
    """A repository at one commit. `files`: every file of it that was read, with its SHA-256."""

    name: str  # as its user calls it; the URL where it has no name
    url: str
    rev: str  # as written: a tag, a branch, a commit
    commit: str
    folder: str  # the root of its files on this machine
    files: Mapping[str, str] = field(default_factory=dict)
    base: str = ""  # the folder in it that the keys in `Recipe.files` are relative to
    recipe: str = ""  # the path of the recipe that is run, as a person names it; empty for one that is used by another

    @property
    def label(self) -> str:
        """`studio@v1.4.0`."""
        return f"{self.name}@{self.rev}"

    @property
    def word(self) -> str:
        """What names the recipe on the command line: at the locked commit where the repository has a name."""
        return f"{self.label if '/' in self.name or ':' in self.name else self.name}:{self.recipe}"


@dataclass(frozen=True, slots=True)
class Policy:
    nsfw: Literal["deny", "allow"] = "deny"
    subjects: str | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole recipe. `files` holds the text of it and of every recipe that it uses, by path, for digest and journal."""

    name: str
    version: str
    description: str | None
    inputs: Mapping[str, InputSpec]
    budget: float | int | Template | None
    policy: Policy
    steps: Mapping[str, StepSpec]
    outputs: Mapping[str, Written]
    path: Path
    places: Places
    digest: str
    files: Mapping[str, str] = field(default_factory=dict)
    boundary: Path = Path()  # the folder that no path in it may leave: the root of its workspace or repository
    origin: Origin | None = None  # the repository that it comes from; None: a file of the operator's own
    origins: Mapping[str, Origin] = field(default_factory=dict)  # every repository that it uses, by prefix in `files`
