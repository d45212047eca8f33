"""One expression's text → Jinja2's syntax tree, in which every place is a character offset.

Jinja2 counts lines; an expression needs columns. Its parser copies `Token.lineno` into every node and every error, so
feeding it tokens whose `lineno` is the offset makes all of them exact. Nothing here decides what is allowed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from zenflow.expr.failure import Failure, Span
from zenflow.expr.limits import MAX_TOKENS

SYNTAX = "ZF302"
TOO_COMPLEX = "ZF309"
_ENVIRONMENT = Environment(autoescape=False)
_CLOSING = {"[": "]", "(": ")", "{": "}"}


@dataclass(frozen=True, slots=True)
class Word:
    """One token: where it stands and what it says."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Syntax:
    """The tree and the tokens that it was made from."""

    tree: nodes.Expr
    words: tuple[Word, ...]
    starts: tuple[int, ...]

    def word_at(self, offset: int) -> int:
        """The number of the token that begins at an offset or next after it."""
        return bisect_left(self.starts, offset)

    def closing(self, opening: int) -> int:
        """The number of the token that closes the bracket at number `opening`."""
        depth = 0
        for number in range(opening, len(self.words)):
            text = self.words[number].text
            if text in _CLOSING:
                depth += 1
            elif text in _CLOSING.values():
                depth -= 1
                if depth == 0:
                    return number
        return len(self.words) - 1


class _OffsetParser(Parser):
    """Jinja2's own parser over a stream that we filled."""

    def __init__(self, stream: TokenStream) -> None:
        self.environment = _ENVIRONMENT
        self.stream = stream
        self.name = self.filename = None
        self.closed = False
        self.extensions = {}
        self._last_identifier = 0
        self._tag_stack = []
        self._end_token_stack = []


def parse_expression(source: str) -> Syntax:
    """Raises `Failure` with the exact offset."""
    words: list[Word] = []
    source_for_lexer = source.replace("\r", " ")  # the lexer would fold \r\n into one character
    try:
        stream = TokenStream(_ENVIRONMENT.lexer.wrap(_with_offsets(source_for_lexer, words)), None, None)
        parser = _OffsetParser(stream)
        tree = parser.parse_expression()
        if not stream.eos:
            extra = stream.current.lineno
            raise Failure(SYNTAX, f"unexpected `{_word_text(words, extra)}`", _hint(words, extra), _span(words, extra))
        return Syntax(tree, tuple(words), tuple(word.start for word in words))
    except TemplateSyntaxError as error:
        raise _failure(error, words, source) from None
    except RecursionError:
        raise Failure(TOO_COMPLEX, "the expression is nested too deeply", "Split it over several steps.") from None


def _with_offsets(source: str, words: list[Word]) -> Iterator[tuple[int, str, str]]:
    offset = 0
    for _, kind, text in _ENVIRONMENT.lexer.tokeniter(source, None, None, "variable"):
        if kind != "whitespace":
            words.append(Word(offset, offset + len(text), text))
            if len(words) > MAX_TOKENS:
                raise Failure(TOO_COMPLEX, f"the expression has more than {MAX_TOKENS:,} parts")
        yield offset, kind, text
        offset += len(text)


def _failure(error: TemplateSyntaxError, words: list[Word], source: str) -> Failure:
    message = (error.message or "").rstrip(".")
    if message.startswith("unexpected char"):
        # The lexer itself says where: “unexpected char '$' at 3”.
        offset = int(message.rsplit(" ", 1)[1])
        return Failure(SYNTAX, f"unexpected `{source[offset]}`", _character_hint(source[offset]), (offset, offset + 1))
    if not words:
        return Failure(SYNTAX, message)
    offset = int(error.lineno)
    if "end of template" in message or "end of print statement" in message:
        end = words[-1].end
        return Failure(SYNTAX, "the expression stops too early", None, (max(end - 1, 0), end))
    said = _word_text(words, offset)
    if message.startswith("expected token"):
        wanted = message.split("'")[1]
        return Failure(SYNTAX, f"expected {_plain(wanted)}, found `{said}`", _hint(words, offset), _span(words, offset))
    if message.startswith("unexpected '"):
        return Failure(SYNTAX, f"unexpected `{said}`", _hint(words, offset), _span(words, offset))
    return Failure(SYNTAX, message[:1].lower() + message[1:], None, _span(words, offset))


def _plain(token: str) -> str:
    return {
        "name": "a name",
        "string": "text in quotes",
        "integer": "an integer",
        "end of print statement": "the end",
    }.get(token, f"`{token}`")


def _character_hint(character: str) -> str | None:
    if character in "\"'":
        return "A quote is opened here and never closed."
    if character == "&":
        return "Write `and`."
    if character == "$":
        return "Inside `${{ }}` names stand without `$`."
    if character == "?":
        return "Write `a if condition else b`."
    if character == "!":
        return "Write `not`."
    if character in "‘’“”„«»":
        return "Text stands in straight quotes: `'…'`."
    return None


def _hint(words: list[Word], offset: int) -> str | None:
    said = _word_text(words, offset)
    if said[:1] in "\"'" and any(word.end == offset and word.text == "f" for word in words):
        return "Text is joined with `~`, as in `item ~ ' x'`."
    at = next((number for number, word in enumerate(words) if word.start == offset), 0)
    if said == ":" and at > 1 and words[at - 2].text == "|":
        return f"What a filter is given stands in parentheses: `… | {words[at - 1].text}(…)`."
    return {
        "AND": "Write `and`, in small letters.",
        "OR": "Write `or`, in small letters.",
        "IN": "Write `in`, in small letters.",
        "=": "Equality is `==`.",
        "!": "Write `not`.",
        "{": "Inside `${{ }}` names stand without braces.",
        "&": "Write `and`.",
        ".": "A name has no dot before it.",
        "|": "`x | default(…)` says what to use instead; `|` is followed by a filter's name, conditions are joined with `or`.",
    }.get(said)


def _word_text(words: list[Word], offset: int) -> str:
    return next((word.text for word in words if word.start == offset), words[-1].text)


def _span(words: list[Word], offset: int) -> Span:
    word = next((word for word in words if word.start == offset), words[-1])
    return word.start, word.end


def spans_of(syntax: Syntax) -> dict[int, Span]:
    """The whole stretch of every node, by `id`; children first, so that a parent can stand on them."""
    spans: dict[int, Span] = {}
    order: list[nodes.Node] = []
    stack: list[nodes.Node] = [syntax.tree]
    while stack:
        node = stack.pop()
        order.append(node)
        stack.extend(node.iter_child_nodes())
    for node in reversed(order):
        spans[id(node)] = _stretch(node, syntax, spans)
    return spans


def _stretch(node: nodes.Node, syntax: Syntax, spans: dict[int, Span]) -> Span:
    inner = [spans[id(child)] for child in node.iter_child_nodes()]
    own = min(syntax.word_at(node.lineno or 0), len(syntax.words) - 1)
    word = syntax.words[own]
    start = min([word.start, *(span[0] for span in inner)])
    end = max([word.end, *(span[1] for span in inner)])
    last = own
    if isinstance(node, nodes.Getattr):
        last = own + 1
    elif isinstance(node, nodes.Getitem | nodes.Call | nodes.List | nodes.Dict | nodes.Tuple) and word.text in _CLOSING:
        last = syntax.closing(own)
    elif isinstance(node, nodes.Getitem):
        last = own + 1
    elif (
        isinstance(node, nodes.Call | nodes.Filter)
        and own + 1 < len(syntax.words)
        and syntax.words[own + 1].text == "("
    ):
        last = syntax.closing(own + 1)
    elif isinstance(node, nodes.Test):
        last = test_name_word(node, own, syntax)
    elif isinstance(node, nodes.Const) and isinstance(node.value, str):
        while last + 1 < len(syntax.words) and syntax.words[last + 1].text[0] in "\"'" and word.text[0] in "\"'":
            last += 1  # "a" "b" is one constant
    return start, max(end, syntax.words[min(last, len(syntax.words) - 1)].end)


def test_name_word(node: Any, own: int, syntax: Syntax) -> int:
    """The number of the token that names a test: after `is`, or after `is not`."""
    after = own + 1
    return after + 1 if after + 1 < len(syntax.words) and syntax.words[after].text == "not" else after
