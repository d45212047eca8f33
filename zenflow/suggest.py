"""Did you mean … : the nearest of the known words, or none when nothing is near."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher

_MOST_COMPARISONS = 100_000  # for all slips of a file together: two seconds, where every one is compared in full


def nearest(word: str, known: Iterable[str], *, least: float = 0.6) -> str | None:
    """The most similar of `known`; None below the similarity `least` (0..1). Case and `-`/`_` do not count."""
    wanted = _plain(word)
    letters = Counter(wanted)
    best, best_ratio = None, least
    for candidate in known:
        plain = _plain(candidate)
        bound = _at_most(wanted, letters, plain)
        if bound < best_ratio or (bound == best_ratio and best is not None):
            continue
        ratio = SequenceMatcher(None, wanted, plain).ratio()
        if ratio > best_ratio or (ratio == best_ratio and best is None):
            best, best_ratio = candidate, ratio
    return best


def _at_most(wanted: str, letters: Counter[str], plain: str) -> float:
    """What the similarity can be, by the letters that both have: most words are told apart by that."""
    if not wanted or not plain:
        return 1.0 if wanted == plain else 0.0
    shared = sum(min(letters[letter], count) for letter, count in Counter(plain).items() if letter in letters)
    return 2.0 * shared / (len(wanted) + len(plain))


class Patience:
    """Ten thousand slips among ten thousand names are found at once, but not what each may have meant: the first are."""

    def __init__(self) -> None:
        self._left = _MOST_COMPARISONS

    def allows(self, known: int) -> bool:
        """Whether one more word is compared with so many."""
        self._left -= known
        return self._left >= 0


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The sentence for a hint, or None."""
    found = nearest(word, known)
    return None if found is None else f"Did you mean `{found}`?"


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
