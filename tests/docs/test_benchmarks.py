"""Each benchmark finds what it imports when it runs as documented: `python bench/NAME.py`, from any folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BENCH = Path(__file__).parents[2] / "bench"
SCRIPTS = sorted(file.name for file in BENCH.glob("*.py"))
IMPORTS_ALL = """
import ast, importlib, pathlib, sys
sys.path.insert(0, sys.argv[1])
file = pathlib.Path(sys.argv[1], sys.argv[2])
importlib.import_module(file.stem)
for node in ast.walk(ast.parse(file.read_text("utf-8"))):
    if isinstance(node, ast.ImportFrom):
        module = importlib.import_module(node.module)
        for one in node.names:
            hasattr(module, one.name) or importlib.import_module(f"{node.module}.{one.name}")
"""


@pytest.mark.parametrize("script", SCRIPTS)
def test_finds_everything_it_imports(script: str, tmp_path: Path) -> None:
    words = [sys.executable, "-P", "-c", IMPORTS_ALL, str(BENCH), script]
    ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
