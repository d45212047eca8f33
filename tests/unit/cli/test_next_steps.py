"""Every finding says what to do next: with a hint of its own, or with that of its code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from zenflow.cli.views.next_steps import NEXT_STEPS, next_step
from zenflow.cli.views.pages import pages

ROOT = Path(__file__).parents[3]
HINT_AT = {  # which argument is the hint
    "error": 3, "warning": 3, "Problem": 3, "UsageError": 2, "Refused": 2, "Stopped": 2, "ZenflowError": 2, "Failure": 2,
}  # fmt: skip
MISTAKES = sorted((ROOT / "tests" / "mistakes").glob("*.txt"))


def constants(tree: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        target = node.targets[0]
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for name, value in zip(names, values, strict=False):
            if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[name.id] = value.value
    return found


def _writes_to_console(file: Path, call: ast.Call) -> bool:
    """Whether this is `Console.error(text)`, which takes no code."""
    is_console = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value).endswith("console")
    return is_console or file.name == "console.py"


def hintless() -> Iterator[tuple[str, str]]:
    """`(code, place)` of everything that says no without a hint of its own."""
    trees = {file: ast.parse(file.read_text("utf-8")) for file in sorted((ROOT / "zenflow").rglob("*.py"))}
    named = {".".join(file.relative_to(ROOT).with_suffix("").parts): constants(tree) for file, tree in trees.items()}
    for file, tree in trees.items():
        known = dict(named[".".join(file.relative_to(ROOT).with_suffix("").parts)])
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in named:
                there = named[node.module]
                known |= {a.asname or a.name: there[a.name] for a in node.names if a.name in there}
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or not call.args or any(isinstance(a, ast.Starred) for a in call.args):
                continue
            at = HINT_AT.get(call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", ""))
            if at is None or _writes_to_console(file, call):
                continue
            hint = next((word.value for word in call.keywords if word.arg == "hint"), None)
            hint = call.args[at] if hint is None and len(call.args) > at else hint
            if hint is None or (isinstance(hint, ast.Constant) and not hint.value):
                code = call.args[0]
                value = code.value if isinstance(code, ast.Constant) else known.get(getattr(code, "id", ""), "")
                yield str(value), f"{file.relative_to(ROOT)}:{call.lineno}"


@pytest.mark.slow
def test_adds_the_next_step_of_its_code_to_a_bare_error() -> None:
    found = list(hintless())
    assert len(found) > 50, "the scan sees the calls"
    assert [(code, place) for code, place in found if code not in NEXT_STEPS] == []


@pytest.mark.parametrize("code", sorted(NEXT_STEPS))
def test_a_next_step_is_one_or_two_sentences_that_say_what_to_do(code: str) -> None:
    step = NEXT_STEPS[code]
    assert code in pages()
    assert re.match(r"[A-Z`]", step) and step.endswith(".")
    assert 20 <= len(step) <= 200
    first = step.split()[0]
    assert first.startswith("`zenflow") or first in {
        "Close", "Give", "Go", "Install", "Keep", "Leave", "Make", "Mend", "Name", "One", "Pass", "Put", "Raise", "Say", "See",
        "Shorten", "Start", "Swap", "Take", "There", "Try", "Write",
    }  # fmt: skip


def test_every_code_has_a_next_step_and_a_hint_of_its_own_wins() -> None:
    assert all(next_step(code, None).endswith(".") for code in pages())
    assert next_step("ZF205", "Write 4.") == "Write 4."
    assert next_step("ZF999", None) == "`zenflow explain ZF999` says more."


@pytest.mark.parametrize("golden", MISTAKES, ids=lambda path: path.stem)
def test_each_finding_of_a_common_mistake_ends_with_what_to_do(golden: Path) -> None:
    text = golden.read_text("utf-8")
    findings = re.findall(r"^(?:\S+:\d+:\d+: )?(?:error|warning): ", text, re.MULTILINE)
    assert len(re.findall(r"^ *→ ", text, re.MULTILINE)) == len(findings)
