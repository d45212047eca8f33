"""`*.test.yaml`: cases of a recipe with what goes in and what is expected, read with the place of every mistake.

`test.schema.json` is the only statement of what such a file may hold. Knows nothing of how a case is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from zenflow.credits import as_text, credits_from
from zenflow.errors import InvalidRecipe
from zenflow.problems import Place, Problems
from zenflow.recipe.load import read_recipe_file
from zenflow.recipe.text.nodes import Node
from zenflow.recipe.text.reader import decode, parse_yaml
from zenflow.suggest import did_you_mean

ENDING = ".test.yaml"
WRONG_TEST = "ZF243"


@dataclass(frozen=True, slots=True)
class AllowedRange:
    """How much, or how many: exactly, at least, at most."""

    low: Decimal | None = None
    high: Decimal | None = None

    def holds(self, amount: Decimal | int) -> bool:
        return (self.low is None or amount >= self.low) and (self.high is None or amount <= self.high)

    def __str__(self) -> str:
        if self.low == self.high:
            return as_text(self.low)
        parts = [f"at least {as_text(self.low)}" if self.low is not None else ""]
        parts.append(f"at most {as_text(self.high)}" if self.high is not None else "")
        return " and ".join(filter(None, parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedResult:
    """What must come of it; None and empty: nothing is said."""

    status: str | None = None
    credits: AllowedRange | None = None
    planned: Mapping[str, AllowedRange] = field(default_factory=dict)  # low, expected, worst
    calls: Mapping[str, AllowedRange] = field(default_factory=dict)  # by tool
    steps: Mapping[str, str] = field(default_factory=dict)  # step or instance → status
    files: AllowedRange | None = None
    kinds: Mapping[str, AllowedRange] = field(default_factory=dict)  # files by image, video, audio, text
    outputs: Mapping[str, Any] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeCase:
    name: str
    place: Place
    expected: ExpectedResult
    inputs: Mapping[str, Any] = field(default_factory=dict)
    budget: Decimal | None = None
    maxima: Mapping[str, int] = field(default_factory=dict)
    picks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    sandbox: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Mapping[str, Any], ...] = ()
    resume: bool = False
    plan_only: bool = False
    golden: bool = False


@dataclass(frozen=True, slots=True)
class CaseFile:
    path: Path
    recipe: Path
    cases: tuple[RecipeCase, ...]

    @property
    def golden(self) -> Path:
        """Where its plans are kept."""
        return self.path.with_name(self.path.name.removesuffix(".yaml") + ".plans.json")


@lru_cache(maxsize=1)
def case_schema() -> dict[str, Any]:
    """The schema file as it is published."""
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("test.schema.json").read_text("utf-8"))
    return schema


def load_cases(path: Path) -> CaseFile:
    """The cases of a file. Raises InvalidRecipe with all problems, UsageError when there is no such file."""
    problems = Problems()
    text = decode(read_recipe_file(path), str(path), problems)
    node = None if text is None else parse_yaml(text, str(path), problems)
    if node is not None and not problems.has_errors:
        _check(node, problems)
    if node is None or problems.has_errors:
        raise InvalidRecipe(problems.in_order())
    named = node.value.get("recipe") or path.name.removesuffix(ENDING) + ".yaml"
    _, cases = node.entries["cases"]
    return CaseFile(
        path, path.parent / named, tuple(_case(k.value, k.place, v.value) for k, v in cases.entries.values())
    )


def _check(node: Node, problems: Problems) -> None:
    from jsonschema import Draft202012Validator  # only who tests recipes needs it

    for error in Draft202012Validator(case_schema()).iter_errors(node.value):
        found = min(error.context, key=lambda inner: -len(inner.absolute_path)) if error.context else error
        place, hint = _place(node, list(found.absolute_path)), None
        message = found.message
        if found.validator == "additionalProperties" and isinstance(found.instance, dict):
            known = found.schema.get("properties", {})
            unknown = next((name for name in found.instance if name not in known), None)
            if unknown is not None:
                place = _place(node, [*found.absolute_path, unknown], key=True)
                message = f"unknown key `{unknown}`"
                hint = did_you_mean(str(unknown), known) or f"Known are: {', '.join(known)}."
        elif found.validator in _SAID:
            message, hint = _SAID[found.validator](found)
        problems.error(WRONG_TEST, message[:300], place, hint)


def _wrong_type(found: Any) -> tuple[str, str | None]:
    kinds = found.validator_value if isinstance(found.validator_value, list) else [found.validator_value]
    bound = "number" in kinds and found.parent is not None
    wanted = "a number, or `{at_least: N, at_most: N}`" if bound else " or ".join(map(str, kinds))
    return f"expected {wanted}; this is {_shown(found.instance)}", None


def _wrong_word(found: Any) -> tuple[str, str | None]:
    known = [str(one) for one in found.validator_value]
    return f"{_shown(found.instance)} is none of: {', '.join(known)}", did_you_mean(str(found.instance), known)


def _missing(found: Any) -> tuple[str, str | None]:
    absent = [name for name in found.validator_value if name not in found.instance]
    return f"`{absent[0] if absent else '?'}` is missing", None


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"


_SAID = {"type": _wrong_type, "enum": _wrong_word, "required": _missing}


def _place(node: Node, path: list[str | int], *, key: bool = False) -> Place:
    at, last = node, node.place
    for part in path:
        if isinstance(part, int):
            if part >= len(at.items):
                break
            at = at.items[part]
            last = at.place
        else:
            entry = at.entries.get(part)
            if entry is None:
                break
            name, at = entry
            last = name.place if key else at.place
    return last


def _case(name: Any, place: Place, body: Mapping[str, Any]) -> RecipeCase:
    budget = body.get("budget")
    return RecipeCase(
        name=str(name),
        place=place,
        expected=_expected(body["expect"]),
        inputs=body.get("inputs", {}),
        budget=None if budget is None else Decimal(str(budget)),
        maxima=body.get("max", {}),
        picks={step: tuple(chosen) for step, chosen in body.get("picks", {}).items()},
        sandbox=body.get("sandbox", {}),
        faults=tuple(body.get("faults", ())),
        resume=body.get("resume", False),
        plan_only=body.get("plan_only", False),
        golden=body.get("golden", False),
    )


def _expected(body: Mapping[str, Any]) -> ExpectedResult:
    files = body.get("files")
    by_kind = isinstance(files, Mapping) and not {"at_least", "at_most"} & set(files)
    return ExpectedResult(
        status=body.get("status"),
        credits=_bound(body.get("credits")),
        planned=_bounds(body.get("planned", {})),
        calls=_bounds(body.get("calls", {})),
        steps=body.get("steps", {}),
        files=None if by_kind else _bound(files),
        kinds=_bounds(files) if by_kind and isinstance(files, Mapping) else {},
        outputs=body.get("outputs", {}),
        problem=body.get("problem"),
    )


def _bounds(body: Mapping[str, Any]) -> dict[str, AllowedRange]:
    return {name: bound for name, value in body.items() if (bound := _bound(value)) is not None}


def _bound(value: Any) -> AllowedRange | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return AllowedRange(credits_from(value.get("at_least")), credits_from(value.get("at_most")))
    amount = credits_from(value)
    return AllowedRange(amount, amount)
