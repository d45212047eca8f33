"""The family of everything zenflow says no with.

    ZenflowError
    ├── UsageError        2   wrong words on the command line, a missing file, a setting that cannot be
    │   └── InvalidRecipe 2   a recipe or an input with problems, each with its place
    ├── Refused           3   nothing was spent: over budget, unpriced, policy, account gate, stale, another account
    ├── Stopped           4   stopped and resumable: sign-in, out of credits, a pick, an outcome that needs a person
    └── Defect            70  zenflow itself is wrong

Leaves carry their facts as fields; what people read is made in `cli/views`. A foreign exception is translated at the
one edge where its library lives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from zenflow.problems import Problem


class ZenflowError(Exception):
    """An expected no: `code` is stable, `message` says what and where, `hint` is the next step."""

    exit_status: ClassVar[int] = 70

    def __init__(self, code: str, message: str, hint: str | None = None, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.facts: Mapping[str, Any] = facts


class UsageError(ZenflowError):
    """Wrong usage, or something named that is not there. Status 2."""

    exit_status = 2


class InvalidRecipe(UsageError):
    """A recipe or its inputs have problems; all of them are in `problems`. Status 2."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = next((p for p in problems if p.severity == "error"), problems[0])
        super().__init__(first.code, first.message, first.hint)
        self.problems = tuple(problems)


class Refused(ZenflowError):
    """Refused before anything was spent. Status 3."""

    exit_status = 3


class Stopped(ZenflowError):
    """Stopped, and can go on later. Status 4."""

    exit_status = 4


class Defect(ZenflowError):
    """zenflow broke a promise of its own. Status 70."""

    exit_status = 70
