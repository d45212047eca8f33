"""The page of each code, out of the files of `cli/explain`: one file per range, one section per code.

They are the only statement of what a code means; `docs/problems.md` is the same text in one piece.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from zenflow.host.writing import replace_file

_FOLDER = Path(__file__).parents[1] / "explain"
_HEADING = re.compile(r"^## (ZF\d{3}) (.+)$", re.MULTILINE)
_OPENING = """\
# Problems

Every code that zenflow says, with what it means and what to do. `zenflow explain ZF203` shows one of them. Codes never
change their meaning. Made from `zenflow/cli/explain/` by `python -m zenflow.cli.views.pages`.
"""


@dataclass(frozen=True, slots=True)
class ProblemPage:
    code: str
    title: str
    text: str
    range: str  # the heading of its file


@lru_cache(maxsize=1)
def pages() -> dict[str, ProblemPage]:
    """Every page by code, in order."""
    found: dict[str, ProblemPage] = {}
    for file in _files():
        text = file.read_text("utf-8")
        range_of = text.partition("\n")[0].removeprefix("# ")
        heads = list(_HEADING.finditer(text))
        for number, head in enumerate(heads):
            end = heads[number + 1].start() if number + 1 < len(heads) else len(text)
            found[head[1]] = ProblemPage(head[1], head[2], text[head.end() : end].strip(), range_of)
    return found


def whole_page() -> str:
    """`docs/problems.md`."""
    parts = [re.sub(r"^#", "##", file.read_text("utf-8").strip(), flags=re.MULTILINE) for file in _files()]
    return "\n\n".join([_OPENING.strip(), *parts]) + "\n"


def _files() -> list[Path]:
    return sorted(_FOLDER.glob("*.md"))


if __name__ == "__main__":  # from the repository's root
    replace_file(Path("docs/problems.md"), whole_page())
