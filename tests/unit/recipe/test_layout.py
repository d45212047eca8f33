"""`zenflow fmt`: what changes, what stays, and that a text means the same afterwards."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zenflow.problems import Problems
from zenflow.recipe.text.formatter import laid_out
from zenflow.recipe.text.reader import parse_yaml

ROOT = Path(__file__).parents[3]

STEP = """\
    uses: image_editor
    with:
      prompt: |
          keep   

            deeper
      image_assets:
"""  # noqa: W291
REST = """\
      model: "a
         b"
      x: [1,
            2]
      y: $${{literal}}
"""

UGLY = f"""\
# head
zenflow: 1
name:   t      # aligned, and stays


\t
inputs:
    photo: image   # kept
steps:
    # above a
    a:
          uses: upload
          with: {{source: ${{{{inputs.photo}}}}}}
    # above b
    b:
      uses: describe
      with:
          asset_id: ${{{{steps.a.asset_id}}}}
      # below with
    c:
{indent(STEP, "    ")}\
          - ${{{{   steps.a.asset_id}}}}
          -    ${{{{ steps.a.asset_id }}}}
{indent(REST, "    ")}\
# foot"""

NEAT = f"""\
# head
zenflow: 1
name:   t      # aligned, and stays

inputs:
  photo: image   # kept
steps:
  # above a
  a:
    uses: upload
    with: {{source: "${{{{ inputs.photo }}}}"}}
  # above b
  b:
    uses: describe
    with:
      asset_id: ${{{{ steps.a.asset_id }}}}
    # below with
  c:
{STEP}\
        - ${{{{ steps.a.asset_id }}}}
        -    ${{{{ steps.a.asset_id }}}}
{REST}\
# foot
"""


def neat(text: str) -> str | None:
    return laid_out(text, "r.yaml", Problems())


def value_of(text: str) -> Any:
    node = parse_yaml(text, "r.yaml", Problems())
    return None if node is None else node.value


def test_a_text_is_laid_out_and_its_comments_stay() -> None:
    assert neat(UGLY.replace("\t\n", "\n")) == NEAT


def test_what_is_neat_stays_as_it_is() -> None:
    assert neat(NEAT) == NEAT


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_recipes_are_neat(path: Path) -> None:
    assert neat(path.read_text("utf-8")) == path.read_text("utf-8")


def test_line_ends_of_windows_and_a_mark_at_the_beginning_go() -> None:
    assert neat("\ufeffzenflow: 1\r\nname: t\r\n") == "zenflow: 1\nname: t\n"


def test_keeps_the_meaning_of_foreign_line_breaks() -> None:
    text = "a:\n    b: 'x\u2028y: z'\n    c: |\n        p\u2028  q   \n"
    once = neat(text)
    assert once is not None and value_of(once) == value_of(text)


def test_what_is_no_yaml_is_told_and_not_touched() -> None:
    problems = Problems()
    assert laid_out("a: [1\nb: 2\n", "r.yaml", problems) is None
    assert problems.has_errors


@pytest.mark.parametrize(
    "text",
    [
        "a:\n- b:\n  - c\n  -\n    d: 1\n",
        "a:\n    - b: 1\n      c: 2\n    -   d: 3\n        e: 4\n",
        "a: |2\n    x\n   y\nb: >-\n  z\n",
        "? a\n: b\n",
        "a: 'it''s\n\n   so'\n",
        "a: &x\n    b: 1\nc:\n    <<: *x\n",
        "-   - 1\n    - 2\n-\n    - 3\n",
        "a: b\n  c\n   # no\n",
        "a:\n# left\n   b: 1\n        # right\n   c: 2\n",
        "a: 007\nb: yes\nc: '7'\n",
    ],
)
def test_the_meaning_stays_and_a_second_time_changes_nothing(text: str) -> None:
    once = neat(text)
    assert once is not None and neat(once) == once
    assert value_of(once) == value_of(text)
    assert [line.strip() for line in once.splitlines() if "#" in line] == [
        line.strip() for line in text.splitlines() if "#" in line
    ]


LEAVES = st.sampled_from(
    ["1", "x", "'a b'", '"${{ inputs.a }}"', "${{ inputs.a }}", "[1, 2]", "{a: 1}", "|\n{}a  b\n{} c", "''"]
)


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0, column: int = 0) -> str:
    pad = " " * column
    lines = []
    listed = draw(st.booleans())
    for number in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            lines.append(draw(st.sampled_from(["", pad + "# c", "# c", pad + "   # c"])))
        head = pad + ("-" if listed else f"k{number}:")
        if depth < 3 and draw(st.booleans()):
            lines += [head, draw(blocks(depth + 1, column + draw(st.integers(1, 5))))]
        else:
            inside = pad + " " * draw(st.integers(1, 3))
            leaf = draw(LEAVES).replace("{}", inside, 2)
            lines.append(head + " " * draw(st.integers(1, 3)) + leaf + draw(st.sampled_from(["", "  "])))
    return "\n".join(lines)


@settings(max_examples=300, deadline=None)
@given(blocks())
def test_keeps_the_meaning_of_any_text_and_is_idempotent(text: str) -> None:
    if value_of(text) is None:
        return
    once = neat(text)
    assert once is not None
    assert value_of(once) == value_of(text)
    assert neat(once) == once
