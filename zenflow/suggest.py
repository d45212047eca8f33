"""Did you mean … : the nearest of the known words, or none when nothing is near."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher


def nearest(word: str, known: Iterable[str], *, least: float = 0.6) -> str | None:
    """The most similar of `known`; None below the similarity `least` (0..1). Case and `-`/`_` do not count."""
    wanted = _plain(word)
    best, best_ratio = None, least
    for candidate in known:
        ratio = SequenceMatcher(None, wanted, _plain(candidate)).ratio()
        if ratio > best_ratio or (ratio == best_ratio and best is None):
            best, best_ratio = candidate, ratio
    return best


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The sentence for a hint, or None."""
    found = nearest(word, known)
    return None if found is None else f"Did you mean `{found}`?"


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
