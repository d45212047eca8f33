"""The published schema is the only statement of form: our fast check, jsonschema and the published copy say the same."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from zenflow.problems import Problems
from zenflow.recipe.schema.explain import check_structure
from zenflow.recipe.schema.structure import is_valid, recipe_schema
from zenflow.recipe.text.reader import parse_yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PHOTOSHOOT = (ROOT / "recipes/photoshoot.yaml").read_text("utf-8")
WIDE = """\
zenflow: 1
name: wide
x-own: {a: 1}
inputs:
  a: string
  b: {type: array, items: {type: object, properties: {c: {type: image}}, required: [c]}, minItems: 1, x-mine: 2}
  d: {type: integer, minimum: 0, maximum: 3, default: null, enum: [1, 2]}
  e: {type: string, minLength: 1, maxLength: 9, pattern: a, description: x, examples: [aa]}
budget: ${{ inputs.d }}
policy: {nsfw: deny, subjects: consenting-adults}
steps:
  s:
    uses: image_editor
    foreach: {x: [1], y: "${{ inputs.b }}"}
    max: 3
    if: true
    needs: [t]
    retry: 1
    timeout: 90s
    on_error: continue
    reuse: false
    max_credits: 2.5
    with: {a: [1, {b: null}]}
  t: {uses: ./other.yaml, foreach: [1], needs: s, with: null}
outputs: {z: 1}
"""
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 1.5, "", "x", "${{ inputs.a }}", "90s", "90", "deny", "string", "image", "a-b", "A_b", "9a",
    "a" * 65, [], [1], ["a"], {}, {"a": 1}, {"type": "string"}, {"uses": "x"}, {"x-a": 1}, "yes", "fail",
)  # fmt: skip
KEYS = (
    "x-new",
    "zenflow",
    "name",
    "uses",
    "with",
    "type",
    "items",
    "steps",
    "a",
    "a-b",
    "",
    "foreach",
    "max",
    "nsfw",
    "é",
    "required",
)


def mutated(value: Any, source: random.Random) -> Any:
    """A copy with one to three random changes anywhere."""
    changed = copy.deepcopy(value)
    for _ in range(source.randint(1, 3)):
        containers = list(_containers(changed))
        container = source.choice(containers)
        keys: list[Any] = list(container) if isinstance(container, dict) else list(range(len(container)))
        kind = source.random()
        if isinstance(container, dict) and (kind < 0.3 or not keys):
            container[source.choice(KEYS)] = source.choice(VALUES)
        elif keys and kind < 0.5:
            del container[source.choice(keys)]
        elif keys:
            container[source.choice(keys)] = copy.deepcopy(source.choice(VALUES))
        else:
            container.append(source.choice(VALUES))
    return changed


def _containers(value: Any) -> Any:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _containers(item)


def _value(text: str) -> Any:
    node = parse_yaml(text, "f", Problems())
    assert node is not None
    return node.value


def test_the_schema_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(recipe_schema())


def test_the_published_copy_is_equal() -> None:
    assert json.loads((ROOT / "schemas/recipe.schema.json").read_text("utf-8")) == recipe_schema()


@pytest.mark.parametrize("text", [PHOTOSHOOT, WIDE], ids=["photoshoot", "wide"])
def test_agrees_with_jsonschema_on_random_mutations(text: str) -> None:
    validator, base, source = Draft202012Validator(recipe_schema()), _value(text), random.Random(11)
    assert is_valid(base) and validator.is_valid(base)
    answers = set()
    for _ in range(1500):
        value = mutated(base, source)
        ours = is_valid(value)
        assert ours == validator.is_valid(value), [error.message for error in validator.iter_errors(value)]
        answers.add(ours)
    assert answers == {True, False}


def test_every_value_that_is_not_valid_is_explained_with_a_place() -> None:
    source, base = random.Random(5), _value(WIDE)
    for _ in range(400):
        value = mutated(base, source)
        text = json.dumps(value, ensure_ascii=False)
        node = parse_yaml(text, "f", Problems())
        if node is None or node.value != value:
            continue
        problems = Problems()
        assert check_structure(node, problems) == is_valid(value)
        assert problems.has_errors == (not is_valid(value))
        assert all(problem.place is not None for problem in problems)


def test_every_key_has_a_description_and_an_example() -> None:
    lacking = []

    def walk(schema: Any, path: str) -> None:
        if not isinstance(schema, dict):
            return
        for name, inner in schema.get("properties", {}).items():
            target = inner
            if "$ref" in inner:
                target = recipe_schema()["$defs"][inner["$ref"].removeprefix("#/$defs/")]
            if not target.get("description") or ("examples" not in target and name != "default"):
                lacking.append(f"{path}.{name}")
            walk(inner, f"{path}.{name}")

    walk(recipe_schema(), "")
    for name, inner in recipe_schema()["$defs"].items():
        walk(inner, name)
    assert lacking == []
