"""A name means one thing: no two public classes of the package share it."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "zenflow"


def public_classes() -> dict[str, list[str]]:
    """The modules that define each public class of the package."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(file.relative_to(PACKAGE)))
    return found


def test_each_public_class_name_has_one_meaning() -> None:
    found = public_classes()
    assert len(found) > 500, "the scan sees the package"
    assert {name: files for name, files in found.items() if len(files) > 1} == {}
