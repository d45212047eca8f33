"""What differs between two versions of a recipe, and how much of a change it is for those who use it.

*major*: a run that worked may not work any more, or may do what it was not allowed to. *minor*: it can do more.
*patch*: anything else. What it costs is not told here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from zenflow.expr.template import Template
from zenflow.recipe.model import InputSpec, Recipe, StepSpec

What = Literal["input", "output", "step", "policy", "budget"]
Level = Literal["major", "minor", "patch"]
LEVELS: tuple[Level, ...] = ("patch", "minor", "major")
_WORDS = frozenset({"description", "title", "examples"})
_LOWER = frozenset({"minimum", "minLength", "minItems"})
_UPPER = frozenset({"maximum", "maxLength", "maxItems"})
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class RecipeChange:
    """One difference. `name`: of the input, output or step; `part`: what of it; values as text, empty where there is none."""

    what: What
    mark: Literal["+", "-", "~"]
    name: str
    level: Level
    part: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        part = f"{self.part}: " if self.part else ""
        arrow = self.before or self.after
        if self.mark == "~" and arrow:
            arrow = f"{self.before or 'none'} → {self.after or 'none'}"
        return f"{self.mark} {self.name}{': ' if part or arrow else ''}{part}{arrow}"


def changes_between(before: Recipe, after: Recipe) -> tuple[RecipeChange, ...]:
    """Return every difference that a user may notice: inputs, outputs, steps at any depth, policy and budget."""
    return (
        *_inputs(before, after),
        *_outputs(before, after),
        *_steps(before, after),
        *_policy(before, after),
        *_budget(before, after),
    )


def level_of(changes: tuple[RecipeChange, ...]) -> Level | None:
    """Return the largest level; None where nothing differs."""
    return max((change.level for change in changes), key=LEVELS.index, default=None)


# --- inputs ---------------------------------------------------------------------------------------------------------


def _inputs(before: Recipe, after: Recipe) -> Iterator[RecipeChange]:
    for name in _both(before.inputs, after.inputs):
        old, new = before.inputs.get(name), after.inputs.get(name)
        if old is None and new is not None:
            word = "required" if new.required else "optional"
            yield RecipeChange("input", "+", name, "major" if new.required else "minor", "", "", f"{new.type}, {word}")
        elif new is None and old is not None:
            yield RecipeChange("input", "-", name, "major", "", old.type)
        elif old is not None and new is not None:
            yield from _input(name, old, new)


def _input(name: str, old: InputSpec, new: InputSpec) -> Iterator[RecipeChange]:
    if old.required != new.required:
        level: Level = "major" if new.required else "minor"
        words = ("required", "optional") if old.required else ("optional", "required")
        yield RecipeChange("input", "~", name, level, "", *words)
    elif old.default != new.default:
        yield RecipeChange("input", "~", name, "patch", "default", _text(old.default), _text(new.default))
    for part, was, now, change in _schema(old.schema, new.schema, ""):
        yield RecipeChange("input", "~", name, change, part, was, now)


def _schema(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[tuple[str, str, str, Level]]:
    for key in _both(old, new):
        was, now = old.get(key), new.get(key)
        if was == now or key in _WORDS or key == "default" or key.startswith("x-"):
            continue
        part = f"{path}{key}"
        if key in ("items", "properties") and isinstance(was, Mapping) and isinstance(now, Mapping):
            if key == "items":
                yield from _schema(was, now, f"{part}.")
            else:
                yield from _properties(was, now, f"{part}.")
        else:
            yield part, _text(was), _text(now), "major" if _narrows(key, was, now) else "minor"


def _properties(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[tuple[str, str, str, Level]]:
    for name in _both(old, new):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from _schema(was, now, f"{path}{name}.")
        else:
            yield f"{path}{name}", _text(was), _text(now), "major" if now is None else "minor"


def _narrows(key: str, was: Any, now: Any) -> bool:
    """Whether a value that was allowed may not be any more."""
    if now is None:
        return key == "type"
    if key == "type":
        return not (was == "integer" and now == "number")
    if key == "enum":
        return was is None or not all(value in now for value in was)
    if key == "required":
        return not all(name in (was or ()) for name in now)
    if key in _LOWER | _UPPER and isinstance(now, int | float):
        return was is None or (now > was if key in _LOWER else now < was)
    return True  # a pattern, or a key that is not known here


# --- outputs, steps, policy, budget ---------------------------------------------------------------------------------


def _outputs(before: Recipe, after: Recipe) -> Iterator[RecipeChange]:
    for name in _both(before.outputs, after.outputs):
        if name not in before.outputs:
            yield RecipeChange("output", "+", name, "minor")
        elif name not in after.outputs:
            yield RecipeChange("output", "-", name, "major")
        elif _plain(before.outputs[name]) != _plain(after.outputs[name]):
            texts = _text(before.outputs[name]), _text(after.outputs[name])
            yield RecipeChange("output", "~", name, "patch", "", *texts)


def _steps(before: Recipe, after: Recipe) -> Iterator[RecipeChange]:
    old, new = (dict(flat_steps(recipe)) for recipe in (before, after))
    for path in _both(old, new):
        if path not in old:
            yield RecipeChange("step", "+", path, "patch", "", "", new[path].uses)
        elif path not in new:
            yield RecipeChange("step", "-", path, "patch", "", old[path].uses)
        else:
            was, now = _facts(old[path]), _facts(new[path])
            for part in _both(was, now):
                if was.get(part) != now.get(part):
                    yield RecipeChange("step", "~", path, "patch", part, _text(was.get(part)), _text(now.get(part)))


def flat_steps(recipe: Recipe, prefix: str = "") -> Iterator[tuple[str, StepSpec]]:
    """Yield every step, those of recipes used as steps included, by its path."""
    for name, step in recipe.steps.items():
        yield prefix + name, step
        if step.recipe is not None:
            yield from flat_steps(step.recipe, f"{prefix}{name}/")


def _facts(step: StepSpec) -> dict[str, Any]:
    """What of a step decides what it does; a key that is not written is not in it."""
    found: dict[str, Any] = {"uses": step.uses, **{f"with.{name}": _plain(value) for name, value in step.with_.items()}}
    for name, value, usual in (
        ("foreach", step.foreach, None),
        ("max", step.max, None),
        ("if", step.if_, None),
        ("needs", step.needs, ()),
        ("retry", step.retry, 0),
        ("timeout", step.timeout_s, None),
        ("on_error", step.on_error, "fail"),
        ("reuse", step.reuse, None),
        ("max_credits", step.max_credits, None),
    ):
        if value != usual:
            found[name] = _plain(value)
    return found


def _policy(before: Recipe, after: Recipe) -> Iterator[RecipeChange]:
    old, new = before.policy, after.policy
    if old.nsfw != new.nsfw:
        yield RecipeChange("policy", "~", "nsfw", "major" if new.nsfw == "allow" else "minor", "", old.nsfw, new.nsfw)
    if old.subjects != new.subjects:
        level: Level = "major" if new.subjects is None else "minor"
        yield RecipeChange("policy", "~", "subjects", level, "", old.subjects or "none", new.subjects or "none")


def _budget(before: Recipe, after: Recipe) -> Iterator[RecipeChange]:
    old, new = _plain(before.budget), _plain(after.budget)
    if old != new:
        yield RecipeChange("budget", "~", "budget", "patch", "", _text(old) or "none", _text(new) or "none")


def _both(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys((*new, *old)))


def _plain(value: Any) -> Any:
    """A written value as JSON, its expressions as they are written."""
    if isinstance(value, Template):
        return value.text
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    plain = _plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
