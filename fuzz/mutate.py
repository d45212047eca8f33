"""Change data as chance has it: texts, bytes and JSON documents. The same seed makes the same change."""

from __future__ import annotations

import random
from typing import Any

PIECES = (
    "${{", "}}", "[", "]", "{", "}", ": ", "- ", "\n", "  ", "\t", "#", "'", '"', "&a ", "*a", "<<: ", "|\n", "---\n",
    "foreach: ", "uses: ", "steps.", "inputs.", "item", "null", "1e9", ".inf", "\u0663", "\u202e", "\x1b]0;x\x07", "\x00",
    "range(100000)", "max: 3\n", "./r.yaml", "[" * 60, "9" * 40,
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 10**30, float("inf"), float("nan"), "", "\ud800", "\x1b[2J", "../../x", [], {}, [[]], {"a": None},
)  # fmt: skip


def text(given: str, chance: random.Random) -> str:
    """Cut, repeat, swap or insert a few times."""
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randrange(len(given) + 1), chance.randint(1, 40)
        kind = chance.randrange(4)
        if kind == 0:
            given = given[:at] + given[at + size :]
        elif kind == 1:
            given = given[:at] + chance.choice(PIECES) + given[at:]
        elif kind == 2:
            given = given[:at] + given[at : at + size] * chance.randint(2, 5) + given[at + size :]
        else:
            lines = given.split("\n")
            chance.shuffle(lines) if chance.random() < 0.1 else lines.insert(chance.randrange(len(lines)), lines[-1])
            given = "\n".join(lines)
    return given


def data(given: bytes, chance: random.Random) -> bytes:
    """Flip up to 64 bits, or cut the end off."""
    found = bytearray(given)
    for _ in range(chance.randint(1, 64)):
        found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
    return bytes(found[: chance.randrange(len(found))]) if chance.random() < 0.05 else bytes(found)


def document(given: Any, chance: random.Random) -> Any:
    """Put an odd value in the place of one that is somewhere in a JSON document, or leave it out."""
    if chance.random() < 0.15 or not isinstance(given, dict | list) or not given:
        return chance.choice(ODD)
    if isinstance(given, list):
        place = chance.randrange(len(given))
        return [document(one, chance) if number == place else one for number, one in enumerate(given)]
    name = chance.choice(list(given))
    if chance.random() < 0.1:
        return {key: value for key, value in given.items() if key != name}
    return {key: document(value, chance) if key == name else value for key, value in given.items()}
