"""What is fuzzed. Each target makes one case of a seed and runs whole commands on it, in this process."""

from __future__ import annotations

import contextlib
import io
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fuzz import mutate
from zenflow.cli.main import run
from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.parse import parse_text
from zenflow.expr.template import Template
from zenflow.foreign_text import visible
from zenflow.plan.output.plan_file import content_digest, is_saved_plan
from zenflow.problems import Problems
from zenflow.recipe.load import load_recipe

SHIPPED = Path(__file__).parents[1] / "recipes"
SEEDS = Path(__file__).parent / "seeds"
_SCOPE = {"inputs": {"t": "text", "o": {"k": 1}, "l": [1, 2, 3], "n": 2.5}, "steps": {}, "item": "a", "index": 0}


class Found(AssertionError):
    """A defect: what happened, for which command."""


@dataclass(frozen=True)
class Place:
    """A folder of a target's own. `base` holds what a case is made from."""

    folder: Path
    base: Mapping[str, bytes]


def command(*words: str) -> int:
    """Run one command; its status. Raises Found for status 70 and for output that a terminal would obey."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(list(words))
    if status == 70:
        raise Found(f"status 70: {' '.join(words)}: {err.getvalue()[-400:]}")
    if visible(out.getvalue() + err.getvalue()) != out.getvalue() + err.getvalue():
        raise Found(f"raw escapes: {' '.join(words)}")
    return status


def _seed(name: str, chance: random.Random) -> str:
    files = [*sorted((SEEDS / name).iterdir()), *(sorted(SHIPPED.glob("*.yaml")) if name == "recipes" else [])]
    return chance.choice(files).read_text("utf-8")


def recipes(place: Place, chance: random.Random) -> None:
    """A mutated recipe is checked and drawn."""
    (place.folder / "r.yaml").write_bytes(mutate.text(_seed("recipes", chance), chance).encode("utf-8", "replace"))
    command("validate", "r.yaml", "--offline", *(["--json"] if chance.random() < 0.3 else []))


def expressions(place: Place, chance: random.Random) -> None:
    """A mutated expression is parsed and evaluated."""
    problems = Problems()
    found = parse_text("${{ " + mutate.text(_seed("expressions", chance), chance) + " }}", None, None, problems)
    if isinstance(found, Template) and not problems.has_errors:
        with contextlib.suppress(ExpressionError):
            evaluate(found, _SCOPE)


def plans(place: Place, chance: random.Random) -> None:
    """A mutated plan, its digest made good again, is compared and carried out on the embedded sandbox."""
    found = mutate.document(json.loads(place.base["plan.json"]), chance)
    if is_saved_plan(found):
        with contextlib.suppress(ValueError, UnicodeEncodeError):
            found = {**found, "digest": content_digest(found)}
    (place.folder / "plan.json").write_text(json.dumps(found), "utf-8")
    command("diff", "plan.json", "r.yaml")
    command("run", "--plan", "plan.json")


def journals(place: Place, chance: random.Random) -> None:
    """A journal with flipped bits is looked at; every command ends, and says that it is damaged where it is."""
    state = place.folder / ".zenflow"
    for name in ("journal.db-wal", "journal.db-shm"):
        (state / name).unlink(missing_ok=True)
    (state / "journal.db").write_bytes(mutate.data(place.base["journal.db"], chance))
    for words in (("show", "last"), ("ledger", "last"), ("runs",)):
        command(*words)


def locks(place: Place, chance: random.Random) -> None:
    """A mutated lock file beside a recipe that uses a repository."""
    (place.folder / "zenflow.lock").write_bytes(mutate.text(_seed("locks", chance), chance).encode("utf-8", "replace"))
    command("validate", "uses.yaml", "--offline")
    command("repo", "list")


TARGETS: Mapping[str, Callable[[Place, random.Random], None]] = {
    "recipes": recipes,
    "expressions": expressions,
    "plans": plans,
    "journals": journals,
    "locks": locks,
}


def prepare(folder: Path) -> Place:
    """A workspace with a plan and a finished run. The current folder must be `folder`."""
    (folder / "r.yaml").write_text((SEEDS / "recipes" / "small.yaml").read_text("utf-8"), "utf-8")
    (folder / "uses.yaml").write_text((SEEDS / "recipes" / "uses.yaml").read_text("utf-8"), "utf-8")
    (folder / "zenflow.toml").write_text('[repos.studio]\nurl = "https://git.example.org/r.git"\nrev = "v1"\n', "utf-8")
    for words in (("plan", "r.yaml", "-o", "plan.json"), ("run", "r.yaml")):
        if command(*words) != 0:
            raise Found(f"the base case does not work: {' '.join(words)}")
    base = {"plan.json": folder / "plan.json", "journal.db": folder / ".zenflow" / "journal.db"}
    assert load_recipe(folder / "r.yaml", Problems()) is not None
    return Place(folder, {name: path.read_bytes() for name, path in base.items()})
