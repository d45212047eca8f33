"""A table that is wider than its page: what is cut, what goes on below itself, and what is told apart by its end."""

from __future__ import annotations

from zenflow.cli.terminal.style import PLAIN
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import cut_front, wrap_text

ROWS = [["ratio", "1:1 | 2:3 | 3:2 | 16:9"], ["seed", "integer"]]


def test_cuts_shrinking_columns_and_wraps_others() -> None:
    cut = table((Column("name"), Column("type", shrinks=True)), ROWS, 24, PLAIN)
    whole = table((Column("name"), Column("type", wraps=True)), ROWS, 24, PLAIN)
    assert cut == ["  name   type", "  ratio  1:1 | 2:3 | 3:…", "  seed   integer"]
    assert whole == ["  name   type", "  ratio  1:1 | 2:3 | 3:2", "         | 16:9", "  seed   integer"]


def test_of_an_instance_s_address_the_end_stays() -> None:
    columns = (Column("call", shrinks=True, ends_matter=True), Column("credits", right=True))
    lines = table(columns, [["portrait.3/generate.0", "1"], ["upscale.1", "2"]], 22, PLAIN)
    assert lines == ["  call         credits", "  …generate.0        1", "  upscale.1          2"]


def test_what_fits_is_not_cut_at_its_front() -> None:
    assert [cut_front("generate.0", width) for width in (10, 9)] == ["generate.0", "…nerate.0"]


def test_indents_long_lines_of_a_guide() -> None:
    guide = "# How\n\n- One scene.\n  Name the light and the lens of it.\n"
    assert wrap_text(guide, 20) == ["# How", "", "- One scene.", "  Name the light and", "  the lens of it."]
