"""The family of everything zenflow says no with.

    ZenflowError
    ├── UsageError        2   wrong words on the command line, a missing file, a setting that cannot be
    │   └── InvalidRecipe 2   a recipe or an input with problems, each with its place (3: gates and policy alone)
    ├── Refused           3   nothing was spent: over budget, unpriced, policy, account gate, stale, another account
    ├── Stopped           4   stopped and resumable: sign-in, out of credits, a pick, an outcome that needs a person
    └── Defect            70  zenflow itself is wrong

Leaves carry their facts as fields; what people read is made in `cli/views`. A foreign exception is translated at the
one edge where its library lives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zenflow.problems import Problem


class ZenflowError(Exception):
    """An expected no: `code` is stable, `message` says what and where, `hint` is the next step."""

    exit_status: int = 70

    def __init__(self, code: str, message: str, hint: str | None = None, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.facts: Mapping[str, Any] = facts

    def of_run(self, run_id: str, server: str = "") -> None:
        """It concerns a run that is in the journal, and that a resume takes up again; `server` is the run's."""
        self.facts = {**self.facts, "run_id": run_id, "server": server}


class UsageError(ZenflowError):
    """Wrong usage, or something named that is not there. Status 2."""

    exit_status = 2


class InvalidRecipe(UsageError):
    """A recipe or its inputs have problems; all of them are in `problems`. Status 2, or 3 (`status_of`)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = next((p for p in problems if p.severity == "error"), problems[0])
        super().__init__(first.code, first.message, first.hint)
        self.problems = tuple(problems)
        self.exit_status = status_of(problems) or UsageError.exit_status


def status_of(problems: Iterable[Problem]) -> int:
    """0: no errors; 3: a policy or an account gate and nothing else; 2: something there has to be written otherwise."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if not errors:
        return 0
    return Refused.exit_status if all(problem.refuses for problem in errors) else UsageError.exit_status


class Refused(ZenflowError):
    """Refused before anything was spent. Status 3."""

    exit_status = 3


class Stopped(ZenflowError):
    """Stopped, and can go on later. Status 4."""

    exit_status = 4


class Defect(ZenflowError):
    """zenflow broke a promise of its own. Status 70."""

    exit_status = 70
