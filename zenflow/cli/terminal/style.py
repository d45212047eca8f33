"""Colours for words, or none. Knows the meaning of a colour, not the terminal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """Marks text; `on` false leaves it as it is. Meaning is never carried by colour alone."""

    on: bool

    def strong(self, text: str) -> str:
        return self._mark("1", text)

    def faint(self, text: str) -> str:
        return self._mark("2", text)

    def bad(self, text: str) -> str:
        return self._mark("31;1", text)

    def warn(self, text: str) -> str:
        return self._mark("33;1", text)

    def good(self, text: str) -> str:
        return self._mark("32", text)

    def link(self, text: str) -> str:
        return self._mark("36", text)

    def _mark(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text


PLAIN = Style(False)
COLOUR = Style(True)
