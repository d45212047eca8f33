"""Problems drawn: place, source line, underline; tabs, wide characters, long lines, notes; JSON and GitHub forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from zenflow.cli.terminal.style import COLOUR, PLAIN, for_terminal
from zenflow.cli.views.problems import as_github, as_rows, draw_error, draw_problems, summary
from zenflow.problems import Note, Place, Problem

RECIPE = """\
zenflow: 1
name: shoot
steps:
  edit:
    uses: image_editor
    with:
      model: SEEDREAM_55
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shoot.yaml").write_text(RECIPE)
    return str(tmp_path / "shoot.yaml")


def place(file: str, line: int, column: int, end_column: int, end_line: int | None = None) -> Place:
    return Place(file, line, column, end_line or line, end_column)


def drawn(*problems: Problem, width: int = 80) -> list[str]:
    return draw_problems(problems, PLAIN, width).splitlines()


def test_shows_a_problem_with_place_underline_and_hint(recipe: str) -> None:
    problem = Problem(
        "ZF420", "image_editor has no model `SEEDREAM_55`", place(recipe, 7, 14, 25), "Did you mean `SEEDREAM_5`?"
    )
    assert drawn(problem) == [
        "shoot.yaml:7:14: error: image_editor has no model `SEEDREAM_55` [ZF420]",
        "  |",
        "7 |       model: SEEDREAM_55",
        "  |              ^^^^^^^^^^^",
        "  → Did you mean `SEEDREAM_5`?",
        "",
        "1 error",
    ]


def test_draws_a_note_as_a_second_snippet_with_one_gutter(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text("a: 1\n" * 120)
    first = Note("first written here", place(str(file), 2, 1, 2))
    problem = Problem("ZF106", "`a` is written twice", place(str(file), 104, 1, 2), "Keep one.", "warning", (first,))
    assert drawn(problem) == [
        f"{file}:104:1: warning: `a` is written twice [ZF106]",
        "    |",
        "104 | a: 1",
        "    | ^",
        f"    = note: first written here ({file}:2:1)",
        "    |",
        "  2 | a: 1",
        "    | -",
        "    → Keep one.",
        "",
        "1 warning",
    ]


def test_aligns_underlines_with_tabs_and_wide_characters(tmp_path: Path) -> None:
    file = tmp_path / "wide.yaml"
    file.write_text("\tprompt: 写真 bad\n", encoding="utf-8")
    lines = drawn(Problem("ZF100", "no", place(str(file), 1, 13, 16)))
    assert lines[2] == "1 |     prompt: 写真 bad"
    assert lines[3] == "  |                  ^^^"  # four for the tab, eight for the key, two for each picture sign


def test_the_underline_of_wide_characters_is_as_wide_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "wide.yaml"
    file.write_text("写真: 1\n", encoding="utf-8")
    assert drawn(Problem("ZF100", "no", place(str(file), 1, 1, 3)))[3] == "  | ^^^^"


def test_a_long_line_is_cut_around_the_place(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text("prompt: " + "x" * 300 + " BAD " + "y" * 300 + "\n")
    lines = drawn(Problem("ZF100", "no", place(str(file), 1, 310, 313)), width=80)
    assert all(len(line) <= 80 for line in lines[1:4])
    assert lines[2].startswith("1 | …") and lines[2].endswith("…")
    start = lines[3].index("^")
    assert lines[2][start : start + 3] == "BAD"
    assert lines[3].count("^") == 3


def test_underlines_a_long_place_to_the_end_of_its_first_line(recipe: str) -> None:
    lines = drawn(Problem("ZF100", "no", place(recipe, 3, 1, 5, end_line=7)))
    assert lines[3] == "  | ^^^^^^"


def test_a_place_past_the_end_of_a_line_is_marked_there(recipe: str) -> None:
    assert drawn(Problem("ZF100", "no", place(recipe, 3, 7, 8)))[3] == "  |       ^"


def test_a_file_that_is_gone_leaves_the_message_and_the_place(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.yaml")
    assert drawn(Problem("ZF100", "no", place(gone, 3, 7, 8), "Look again."))[:2] == [
        f"{gone}:3:7: error: no [ZF100]",
        "  → Look again.",
    ]


def test_a_problem_without_a_place_is_one_line(recipe: str) -> None:
    assert drawn(Problem("ZF502", "`photo` is missing", hint="Give it: `-i photo=…`."))[:2] == [
        "error: `photo` is missing [ZF502]",
        "→ Give it: `-i photo=…`.",
    ]


def test_colour_marks_nothing_but_itself(recipe: str) -> None:
    problem = Problem("ZF420", "no model", place(recipe, 7, 14, 25), "Try another.")
    import re

    coloured = draw_problems([problem], COLOUR, 80)
    assert COLOUR.bad("^^^^^^^^^^^") in coloured and "\x1b[31;1m^^^^^^^^^^^\x1b[0m" in for_terminal(coloured)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == draw_problems([problem], PLAIN, 80)


def test_the_summary_counts_errors_and_warnings() -> None:
    error, warning = Problem("ZF100", "a"), Problem("ZF101", "b", severity="warning")
    assert summary([error, error, warning]) == "2 errors, 1 warning"
    assert summary([]) == "no problems"


def test_rows_hold_what_issue_2_asks_for(recipe: str) -> None:
    [row] = as_rows([Problem("ZF420", "no model", place(recipe, 7, 14, 25), "Try.")])
    assert row == {
        "file": "shoot.yaml",
        "line": 7,
        "column": 14,
        "end_line": 7,
        "end_column": 25,
        "severity": "error",
        "code": "ZF420",
        "message": "no model",
        "hint": "Try.",
        "notes": [],
    }


def test_writes_github_commands_errors_first_ten_at_most(recipe: str) -> None:
    warning = Problem("ZF101", "50% done, a:b", place(recipe, 1, 1, 3), "Go on.", severity="warning")
    errors = [Problem("ZF100", "no", place(recipe, 7, 14, 25), "Try.") for _ in range(10)]
    lines = as_github([warning, *errors]).splitlines()
    assert lines[0] == "::error file=shoot.yaml,line=7,endLine=7,col=14,endColumn=25,title=ZF100::no%0ATry."
    assert lines[10] == "::notice title=zenflow::and 1 more; see the job's log"
    assert as_github([warning]) == (
        "::warning file=shoot.yaml,line=1,endLine=1,col=1,endColumn=3,title=ZF101::50%25 done, a:b%0AGo on."
    )


def test_wraps_an_error_without_a_place_and_its_hint() -> None:
    lines = draw_error("word " * 20, "ZF999", "Do this.", PLAIN, 60).splitlines()
    assert lines[0].startswith("error: word") and lines[-2].endswith("[ZF999]")
    assert lines[-1] == "→ Do this."
    assert all(len(line) <= 60 for line in lines)


def test_fits_a_narrow_terminal_and_keeps_the_place(recipe: str) -> None:
    problem = Problem(
        "ZF420", "image_editor has no model `SEEDREAM_55`", place(recipe, 7, 14, 25), "Did you mean `SEEDREAM_5`?"
    )

    lines = drawn(problem, width=30)

    assert lines[:2] == ["shoot.yaml:7:14: error:", "  image_editor has no model"]
    assert all(len(line) <= 30 for line in lines)
    at = next(number for number, line in enumerate(lines) if "^" in line)
    begin, end = lines[at].index("^"), len(lines[at])
    assert lines[at - 1][begin:end] == "SEEDREAM_55"


def test_quotes_a_file_in_two_lines_at_most(recipe: str) -> None:
    long = "x" * 4000
    problem = Problem("ZF203", f"found `{long}`", place(recipe, 1, 1, 2), f"Write `a: {long}`, or `b`.")

    assert f"→ Write\n    `a: {'x' * 156}…`,\n    or `b`." in "\n".join(drawn(problem))
    assert len(as_github([problem])) < 500
    (row,) = as_rows([problem])
    assert len(row["message"]) < 200 and len(row["hint"]) < 200
