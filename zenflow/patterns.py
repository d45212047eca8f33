"""Regular expressions that others wrote, an input's or a server's `pattern`, matched in time linear in the text.

The part of them that JSON Schema recommends (draft 2020-12, 6.4): characters, classes, `.`, `* + ? {m,n}`, groups, `|`,
`^` and `$`. Python's own matcher tries one way after another, so that `(a+)+$` on forty letters takes hours; a recipe of
somebody else must not be able to do that. Here all ways are followed at once, as a set of states.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

MOST_STATES = 500
_ATOM = re.compile(
    r"\\[dDwWsSnrtfv]|\\u[0-9a-fA-F]{4}|\\[^A-Za-z0-9]|\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[\]().*+?{}|^$]|[\]{}]"
)
_REPEAT = re.compile(r"([*+?]|\{(\d{1,4})(,(\d{0,4}))?\})\??")
_NOT_TAKEN = "Use characters, classes such as `[a-z]` and `\\d`, groups, `|`, `* + ? {m,n}`, `^` and `$`."


class BadPattern(ValueError):
    """A pattern that cannot be used; the words say why, `hint` what can be."""

    hint = _NOT_TAKEN


@dataclass(slots=True)
class _State:
    """`atom` is what the next character must be (None: none is needed), `ahead` the states after it."""

    atom: re.Pattern[str] | None = None
    anchor: str = ""
    ahead: list[int] = field(default_factory=list)


Fragment = tuple[int, int]  # the state where it begins, and the one where it ends


@dataclass(frozen=True, slots=True)
class Pattern:
    states: tuple[_State, ...]
    start: int
    end: int

    def is_in(self, text: str) -> bool:
        """Whether it matches anywhere in the text."""
        known: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        current = self._closure({self.start}, True, not text)
        for at, character in enumerate(text, 1):
            if self.end in current:
                return True
            if at == len(text):
                return self.end in self._closure({*self._after(current, character), self.start}, False, True)
            ahead = known.get((current, character))
            if ahead is None:
                ahead = self._closure({*self._after(current, character), self.start}, False, False)
                known[current, character] = ahead
            current = ahead
        return self.end in current

    def _closure(self, states: Iterable[int], first: bool, last: bool) -> frozenset[int]:
        found: set[int] = set()
        stack = list(states)
        while stack:
            number = stack.pop()
            if number in found:
                continue
            found.add(number)
            state = self.states[number]
            if state.atom is None and (not state.anchor or (first if state.anchor == "^" else last)):
                stack += state.ahead
        return frozenset(found)

    def _after(self, states: frozenset[int], character: str) -> set[int]:
        return {
            ahead
            for number in states
            if (atom := self.states[number].atom) is not None and atom.fullmatch(character)
            for ahead in self.states[number].ahead
        }


@lru_cache(maxsize=128)
def pattern_of(text: str) -> Pattern:
    """The pattern of a text. Raises `BadPattern`."""
    return _Reader(text).read()


MOST_WORK = 1_000_000
"""States times characters that `is_match` spends; about a second."""


def is_match(pattern: str, text: str) -> bool | None:
    """Return whether a foreign pattern matches anywhere in a text; None where that cannot be told in time."""
    try:
        known = pattern_of(pattern)
    except (BadPattern, RecursionError):
        return None
    return known.is_in(text) if len(known.states) * len(text) <= MOST_WORK else None


class _Reader:
    """Reads a pattern from left to right. Groups nest, and what it reads is at most as deep as a recipe is long."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.states: list[_State] = []

    def read(self) -> Pattern:
        start, end = self._alternatives()
        if self.at < len(self.text):
            raise BadPattern("`)` closes nothing")
        return Pattern(tuple(self.states), start, end)

    def _state(self, atom: re.Pattern[str] | None = None, anchor: str = "") -> int:
        if len(self.states) >= MOST_STATES:
            raise BadPattern("it is too long")
        self.states.append(_State(atom, anchor))
        return len(self.states) - 1

    def _join(self, one: int, other: int) -> None:
        self.states[one].ahead.append(other)

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _alternatives(self) -> Fragment:
        start, end = self._state(), self._state()
        while True:
            first, last = self._sequence()
            self._join(start, first)
            self._join(last, end)
            if self._peek() != "|":
                return start, end
            self.at += 1

    def _sequence(self) -> Fragment:
        start = end = self._state()
        while self._peek() not in ("", "|", ")"):
            begin = self.at
            first, last = self._repeated(begin)
            self._join(end, first)
            end = last
        return start, end

    def _repeated(self, begin: int) -> Fragment:
        part = self._part()
        stop = self.at
        match = _REPEAT.match(self.text, self.at)
        if match is None:
            return part
        after = match.end()
        fewest, most = _bounds(match)
        copies = [part] + [self._again(begin, stop) for _ in range(1, max(fewest, most or fewest, 1))]
        self.at = after
        if _REPEAT.match(self.text, self.at):
            raise BadPattern(f"`{self.text[self.at]}` repeats nothing")
        return self._chained(copies, fewest, most)

    def _again(self, begin: int, stop: int) -> Fragment:
        self.at = begin
        part = self._part()
        assert self.at == stop
        return part

    def _chained(self, copies: list[Fragment], fewest: int, most: int | None) -> Fragment:
        """The copies one after the other; those beyond the fewest may be passed by, the last may go round."""
        start, end = self._state(), self._state()
        before = start
        if fewest == 0:
            self._join(start, end)
        for number, (first, last) in enumerate(copies, 1):
            self._join(before, first)
            before = last
            if number >= fewest and most != 0:
                self._join(last, end)
        if most is None:
            self._join(copies[-1][1], copies[-1][0])
        return start, end

    def _part(self) -> Fragment:
        here = self._peek()
        if here == "(":
            return self._group()
        if here in ("^", "$"):
            self.at += 1
            start, end = self._state(anchor=here), self._state()
            self._join(start, end)
            return start, end
        match = _ATOM.match(self.text, self.at)
        if match is None:
            named = self.text[self.at : self.at + 2] if here == "\\" else here
            raise BadPattern(f"`{named}` cannot stand here")
        self.at = match.end()
        start, end = self._state(_atom(match[0])), self._state()
        self._join(start, end)
        return start, end

    def _group(self) -> Fragment:
        self.at += 1
        if self.text.startswith("?:", self.at):
            self.at += 2
        elif self._peek() == "?":
            raise BadPattern(f"groups such as `({self.text[self.at : self.at + 2]}…)` are not supported")
        self.depth += 1
        if self.depth > 50:
            raise BadPattern("its groups are nested too deeply")
        part = self._alternatives()
        self.depth -= 1
        if self._peek() != ")":
            raise BadPattern("a `(` is not closed")
        self.at += 1
        return part


def _bounds(match: re.Match[str]) -> tuple[int, int | None]:
    sign = match[1]
    if sign[0] != "{":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
    fewest = int(match[2])
    most = fewest if match[3] is None else (int(match[4]) if match[4] else None)
    if most is not None and most < fewest:
        raise BadPattern(f"`{sign}` asks for at least {fewest} and at most {most}")
    return fewest, most


@lru_cache(maxsize=1024)
def _atom(written: str) -> re.Pattern[str]:
    """One character's worth of a pattern; of one character Python's matcher is quick whatever it is."""
    try:
        return re.compile(re.escape(written) if written in "]{}" else written, re.DOTALL if written == "." else 0)
    except re.error as error:
        raise BadPattern(str(error)) from None
