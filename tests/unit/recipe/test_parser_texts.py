"""A parser may change its limits and its words: zenflow keeps its own depth limit and guesses at no unknown word."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from zenflow.problems import Problems
from zenflow.recipe.text import reader, syntax_errors
from zenflow.recipe.text.nesting import too_deep
from zenflow.recipe.text.nodes import Text
from zenflow.recipe.text.reader import MAX_DEPTH, parse_yaml

DEEP = {
    "brackets": "x-a: " + "[" * 5000 + "]" * 5000 + "\n",
    "braces": "x-a: " + "{a: " * 5000 + "1" + "}" * 5000 + "\n",
    "brackets that stay open": "x-a: " + "[" * 5000 + "\n",
    "brackets on their own lines": "x-a:\n" + "  [\n" * 200 + "  ]\n" * 200,
    "dashes": "- " * 5000 + "a\n",
    "question marks": "? " * 5000 + "a\n",
    "keys": "".join("  " * n + "a:\n" for n in range(300)) + "  " * 300 + "b\n",
    "lists of mappings": "".join("  " * n + "- a:\n" for n in range(80)) + "  " * 80 + "- b\n",
}

NEVER_SAID = [
    "zorblifies the frobnicator",
    "expected ':' but saw a zorble",
    "Mapping values are forbidden here",
    "mapping values may not be zorbled in this context",
    "a flow sequence of zorbles within a quoted scalar",
    "did not find expected zorble key '-' node content",
    "did not find expected ',' or ']' or '}' or a zorble",
    "unknown escape character of the hexdecimal kind",
    "block sequence entries are not allowed on a Sunday",
    "zorble: comment or line break\nover two lines",
    "",
]
TEXTS = [
    "a: [1, 2\nb: 3\n",
    'a: "x\nb: 1\n',
    "a: {b: ${{ item }}}\n",
    "name:photo\nb: 1\n",
    "a:\n  b: 1\n   c: 2\n",
    "a: b: c\n",
    "a: @x\n",
    'a: "\\z"\n',
    "a: | text\n",
    "a: - b\n",
    "word\nb: 1\n",
    "",
]


def _problems(text: str) -> list[str]:
    problems = Problems()
    parse_yaml(text, "r.yaml", problems)
    return [problem.code for problem in problems]


@pytest.mark.parametrize("name", DEEP)
def test_depth_is_refused_before_the_parser_refuses(name: str) -> None:
    assert _problems(DEEP[name]) == ["ZF114"]


@pytest.mark.parametrize("limit", [0, 5, 63, 64, 65, 70, 999])
@pytest.mark.parametrize("name", DEEP)
def test_depth_limit_holds_for_any_limit_of_the_parser(monkeypatch: pytest.MonkeyPatch, name: str, limit: int) -> None:
    class Shallow(yaml.CSafeLoader):
        """A parser that gives up at `limit` levels, in words of its own."""

        def get_event(self) -> object:
            event = super().get_event()
            self.open = getattr(self, "open", 0) + isinstance(event, yaml.CollectionStartEvent)
            if self.open > limit:
                raise yaml.YAMLError("zorble: too many floors")
            return event

    monkeypatch.setattr(reader.yaml, "CSafeLoader", Shallow)
    assert _problems(DEEP[name]) == ["ZF114"]


@pytest.mark.parametrize("depth", [1, 40, MAX_DEPTH])
def test_texts_within_the_limit_are_not_too_deep(depth: int) -> None:
    for text in (
        "[" * depth + "]" * depth,
        "- " * depth + "a",
        "\n".join("  " * n + "a:" for n in range(depth)),
        "a: '" + "[" * 500 + "'",
        "a: x " + "[" * 500,
        "a: |\n" + "  [[[[[[[[\n" * 50,
        "a: [" + "'[', \"{\", " * 100 + "]",
        "a: 1 # " + "[" * 500,
    ):
        assert too_deep(text.split("\n"), MAX_DEPTH) is None


def _trees() -> st.SearchStrategy[object]:
    plain = st.one_of(st.integers(0, 9), st.text("ab[]{}:-#'\" ", max_size=6), st.just("two\nlines: [x\n"))
    return st.recursive(
        plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1), inner, max_size=3)
    )


@given(_trees(), st.booleans(), st.integers(1, 6))
def test_scan_agrees_with_the_events_of_the_parser(tree: object, flow: bool, most: int) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flow, width=10_000)
    depth, deepest = 0, 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
    assert (too_deep(text.split("\n"), most) is not None) == (deepest > most), text


@pytest.mark.parametrize("problem", NEVER_SAID)
def test_words_no_parser_said_give_a_neutral_report(problem: str) -> None:
    mark, beyond = SimpleNamespace(line=0, column=1, index=1), SimpleNamespace(line=99, column=99)
    contexts = [*NEVER_SAID, "while parsing a flow sequence", "while scanning a quoted scalar", None]
    marks = [(mark, None), (mark, mark), (None, mark), (beyond, mark)]
    for text, context, (at, opened) in itertools.product(TEXTS, contexts, marks):
        problems = Problems()
        error = SimpleNamespace(problem=problem, context=context, problem_mark=at, context_mark=opened)
        syntax_errors.report_syntax_error(error, Text("r.yaml", text, text.split("\n")), problems)
        assert [found.code for found in problems] == ["ZF105"], (text, context)
        assert "zorble" not in problem or "zorble" in str(next(iter(problems)).message)


@pytest.mark.parametrize("said", ["", "zorble", "two\nlines"])
def test_an_error_without_a_place_is_reported(said: str) -> None:
    problems = Problems()
    syntax_errors.report_syntax_error(yaml.YAMLError(said), Text("r.yaml", "a: 1\n", ["a: 1", ""]), problems)
    assert [found.code for found in problems] == ["ZF105"]


def test_every_rule_knows_the_words_of_this_parser() -> None:
    """Each text in the list makes this parser say one of the words that the rules read."""
    for text in TEXTS[:3] + TEXTS[4:9]:
        assert _problems(text) not in ([], ["ZF105"]), text
