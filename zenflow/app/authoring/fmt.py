"""Format recipes in place: what `recipe/text/formatter` makes of each, and what of it is written."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from zenflow.errors import InvalidRecipe, UsageError
from zenflow.host.writing import replace_file
from zenflow.problems import Problems
from zenflow.recipe.load import find_recipe, read_recipe_file
from zenflow.recipe.text.formatter import laid_out
from zenflow.recipe.text.reader import decode

FIRST_ERROR = "ZF075"


@dataclass(frozen=True, slots=True)
class Formatted:
    """One file: as it is, and as it should be."""

    path: Path
    before: str
    after: str

    @property
    def differs(self) -> bool:
        return self.before != self.after

    def diff(self) -> list[str]:
        """The change as a unified diff."""
        lines = self.before.splitlines(), self.after.splitlines()
        return list(difflib.unified_diff(*lines, str(self.path), str(self.path), lineterm=""))


def formatted(word: str, current: Path) -> Formatted:
    """One recipe. Raises InvalidRecipe where it is no YAML, UsageError where there is none."""
    path = find_recipe(word, current)
    problems = Problems()
    before = decode(read_recipe_file(path), str(path), problems)
    after = None if before is None else laid_out(before, str(path), problems)
    if before is None or after is None:
        if not problems.has_errors:
            problems.error(FIRST_ERROR, f"{path} cannot be formatted")
        raise InvalidRecipe(problems.in_order())
    return Formatted(path, before, after)


def write(one: Formatted) -> None:
    """Put the new text in the file's place, at once or not at all."""
    try:
        replace_file(one.path, one.after)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            FIRST_ERROR, f"{one.path} cannot be written: {reason}.", "Make it writable for you."
        ) from error
