"""Fuzzing led by coverage, by hand: `pip install atheris; python tests/safety/fuzz_atheris.py -max_total_time=600`.

The first byte says what is fed: the loader, or an expression.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["zenflow.recipe", "zenflow.expr", "yaml"]):
    from zenflow.errors import UsageError
    from zenflow.expr.evaluate import ExpressionError, evaluate
    from zenflow.expr.parse import parse_text
    from zenflow.expr.template import Template
    from zenflow.problems import Problems
    from zenflow.recipe.load import load_recipe

FILE = Path(tempfile.mkdtemp()) / "fuzz.yaml"


def one(data: bytes) -> None:
    if data[:1] < b"\x80":
        FILE.write_bytes(data[1:])
        try:
            load_recipe(FILE, Problems())
        except UsageError:
            pass
        return
    problems = Problems()
    template = parse_text("${{ " + data[1:].decode("utf-8", "replace") + " }}", None, None, problems)
    if isinstance(template, Template) and not problems.has_errors:
        try:
            evaluate(template, {"inputs": {"a": [1, "b", None]}, "item": {"x": 1}, "index": 0, "steps": {}})
        except ExpressionError:
            pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
