"""What is wrong with something a person wrote, with its place; collected, then reported all at once.

Knows nothing of recipes, YAML or terminals: a `Problem` is a value, `cli/views/problems` draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


class ShownFile(str):
    """A file under the name that people know it by, such as `studio@v1.4.0:look.yaml`; `on_disk` is where its text is."""

    __slots__ = ("on_disk",)
    on_disk: str

    @classmethod
    def of(cls, name: str, on_disk: str) -> ShownFile:
        """Return the name, with the path of the file."""
        shown = cls(name)
        shown.on_disk = on_disk
        return shown


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A stretch of a text file. Lines and columns count from 1 in characters; the end column is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that belongs to a problem, such as the first of two equal keys."""

    message: str
    place: Place


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: `code` is stable (`ZF…`), `message` says what was found and what was expected, `hint` what to do."""

    code: str
    message: str
    place: Place | None = None
    hint: str | None = None
    severity: Severity = "error"
    notes: tuple[Note, ...] = ()
    refuses: bool = False  # rightly written, but a policy, the account or the service forbids it


MOST_KEPT = 1_000
MORE = "ZF234"


class Problems:
    """A list that only grows, so that every check can go on after the first finding."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._kept: dict[Severity, int] = {"error": 0, "warning": 0}
        self._more: dict[Severity, int] = {"error": 0, "warning": 0}

    def _keep(self, problem: Problem) -> None:
        """Keep the first thousand of each kind; of the others only the number: a recipe of a stranger may have any."""
        if self._kept[problem.severity] < MOST_KEPT:
            self._kept[problem.severity] += 1
            self._found.append(problem)
        else:
            self._more[problem.severity] += 1

    def error(
        self, code: str, message: str, place: Place | None = None, hint: str | None = None, notes: Iterable[Note] = ()
    ) -> None:
        self._keep(Problem(code, message, place, hint, "error", tuple(notes)))

    def warning(
        self, code: str, message: str, place: Place | None = None, hint: str | None = None, notes: Iterable[Note] = ()
    ) -> None:
        self._keep(Problem(code, message, place, hint, "warning", tuple(notes)))

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._keep(problem)

    def reword(self, better: Callable[[Problem], Problem]) -> None:
        """Say each finding as well as it can be said by now."""
        self._found = [better(problem) for problem in self._found]

    @property
    def has_errors(self) -> bool:
        return self._kept["error"] > 0

    def in_order(self) -> tuple[Problem, ...]:
        """Every finding once, by place in the file; those without a place come last."""
        unique = dict.fromkeys(self._found)
        return (*sorted(unique, key=_reading_order), *self._not_kept())

    def _not_kept(self) -> Iterator[Problem]:
        for severity, number in self._more.items():
            if number:
                hint = "Fix those above first."
                yield Problem(MORE, f"{number:,} more findings are not listed", None, hint, severity)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found) + sum(self._more.values())


def _reading_order(problem: Problem) -> tuple[bool, str, int, int, str]:
    place = problem.place
    if place is None:
        return (True, "", 0, 0, problem.code)
    return (False, place.file, place.line, place.column, problem.code)
