"""Find references to files and headings that do not exist: `python -m tests.support.references`.

Read every tracked text file. A reference is a name that ends in `.md`, a path in backticks that begins with a folder of
the repository, a quoted heading behind a page, or a link of a Markdown page.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "zenflow"
TEXTS = {".md", ".py", ".toml", ".yaml", ".yml", ".json", ".cfg", ".txt", ""}
GENERATED = ("tests/mistakes/", "tests/language_text/")

_PAGE = re.compile(r"(?<![\w/:.*{}-])((?:[\w.-]+/)*[\w-]+\.md)\b(?:[:,]?\s+\(?“[^”]+”(?:(?:,|\s+and)\s+“[^”]+”)*)?")
_TICKED = re.compile(r"`([a-z_.]+/[\w./-]*\w)(?:::(\w+))?(?:\[[^`]*)?`")
_LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]+))?\)")
_WRITTEN = re.compile(r"^<!-- file: (\S+) -->$", re.MULTILINE)
_QUOTED = re.compile(r"“([^”]+)”")
# Documents that were never part of the repository.
_ABSENT = re.compile(r"\bseeds? 00\d|\bzencreator-facts\b|\brecipe-language\b|\bredesign H\d|\bissue \d+\b|\bfacts \d")


def problems() -> list[str]:
    """Return one line per reference that leads nowhere, with its file and line."""
    return [line for path in tracked() for line in _problems_of(path)]


def tracked() -> list[Path]:
    names = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    kept = [name for name in names if Path(name).suffix in TEXTS and not name.startswith(GENERATED)]
    return [ROOT / name for name in kept if (ROOT / name).is_file()]


def _problems_of(path: Path) -> Iterator[str]:
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return
    if path == Path(__file__):
        return
    for offset, what in _dangling(path, text):
        yield f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, offset) + 1}: {what}"


def _dangling(path: Path, text: str) -> Iterator[tuple[int, str]]:
    for found in _ABSENT.finditer(text):
        yield found.start(), f"a document that is not in the repository: {found[0]}"
    yield from _pages(path, text)
    if path.suffix in (".md", ".py"):
        own = set(_WRITTEN.findall(text))  # the reader of a walkthrough writes these
        for found in _TICKED.finditer(text):
            if _is_ours(found[1]) and found[1] not in own and not _exists(found[1], path):
                yield found.start(), f"no such file: {found[1]}"
    if path.suffix == ".md":
        for found in _LINK.finditer(text):
            yield from _link(path, found)


def _pages(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Names of Markdown pages, and the headings quoted behind them, across line breaks and comment marks."""
    for found in _PAGE.finditer(re.sub(r"\n[ \t]*(?:# )?", lambda broken: " " * len(broken[0]), text)):
        page = _page(found[1], path)
        if page is None:
            yield found.start(), f"no such page: {found[1]}"
            continue
        for quoted in _QUOTED.findall(found[0]):
            if (heading := " ".join(quoted.split())) not in headings(page):
                yield found.start(), f"no heading “{heading}” in {found[1]}"


def _link(path: Path, found: re.Match[str]) -> Iterator[tuple[int, str]]:
    target, anchor = found[1], found[2]
    if ":" in target:
        return
    base = ROOT / "docs" if path.parent.name == "explain" else path.parent  # they become docs/problems.md
    page = path if not target else base / target
    if not page.exists():
        yield found.start(), f"a link leads nowhere: {target}"
    elif anchor and page.suffix == ".md" and anchor not in {_slug(heading) for heading in headings(page)}:
        yield found.start(), f"a link leads to no heading: {target}#{anchor}"


def _is_ours(name: str) -> bool:
    """Whether a path in backticks begins with a folder of the repository or of the package."""
    parts = name.split("/")
    return parts[0] in _folders() and not any(Path(part).stem.isupper() for part in parts)


@cache
def _folders() -> frozenset[str]:
    package = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    return frozenset(package | {"zenflow", "tests", "docs", "bench", "schemas", "recipes"})


def _exists(name: str, path: Path) -> bool:
    bases = (ROOT, PACKAGE, ROOT / "tests", path.parent)
    return any((base / tail).exists() for base in bases for tail in (name, f"{name}.py"))


def _page(name: str, path: Path) -> Path | None:
    for base in (ROOT, ROOT / "docs", path.parent):
        if (base / name).is_file():
            return base / name
    return None


@cache
def headings(page: Path) -> frozenset[str]:
    lines = page.read_text("utf-8").splitlines()
    return frozenset(re.sub(r"[`*]", "", line.lstrip("#").strip()) for line in lines if line.startswith("#"))


def _slug(heading: str) -> str:
    return re.sub(r"[ ]", "-", re.sub(r"[^\w\- ]", "", heading.lower()))


if __name__ == "__main__":
    found = problems()
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.exit(1 if found else 0)
