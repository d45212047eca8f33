"""Colours for words, or none. Knows the meaning of a colour, not the terminal.

Our own marks carry a number that is drawn again in each process: a recipe or a server cannot write one. The console turns
them into escapes of the terminal, and shows every other control character instead of sending it (`for_terminal`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from zenflow.foreign_text import visible

_SEAL = str(int.from_bytes(os.urandom(6), "big") + 10**6)
_OWN = re.compile(rf"\x1b\[{_SEAL};([0-9;]+)m")


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
        return f"\x1b[{_SEAL};{code}m{text}\x1b[{_SEAL};0m" if self.on and text else text


def for_terminal(text: str) -> str:
    """Return the text as a terminal may get it: our own colours, and nothing else that it would obey."""
    parts = _OWN.split(text)  # text, code, text, code, …
    return "".join(f"\x1b[{part}m" if place % 2 else visible(part) for place, part in enumerate(parts))


PLAIN = Style(False)
COLOUR = Style(True)
