"""Text of strangers, made fit to be shown: what would command a terminal, or turn the direction of reading, is shown instead.

A recipe, a server and a journal can hold any character. Pages, reports, the terminal and JSON use this one rule.
"""

from __future__ import annotations

import re

BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_HIDDEN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{BIDI}\ud800-\udfff]")
_HIDDEN_IN_JSON = re.compile(f"[\x7f-\x9f\u2028\u2029{BIDI}\ud800-\udfff]")
_MARKS = re.compile(f"[{BIDI}]")
_MARKDOWN = re.compile(r"([\\`*_|\[\]#~!])|(<)|(>)|(&)|(://)|(\bwww\.)|(@)")


def visible(text: str) -> str:
    """Return the text with control, C1 and bidi characters as escapes; line breaks and tabs stay."""
    return _HIDDEN.sub(_escape, text)


def visible_json(text: str) -> str:
    """Return a JSON document in which those characters are escapes of JSON."""
    return _HIDDEN_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def first_bidi_mark(text: str) -> int | None:
    """Return where the first character stands that turns the direction of reading, or None."""
    found = _MARKS.search(text)
    return None if found is None else found.start()


def markdown_text(text: str) -> str:
    """Return the text as Markdown shows it and nothing else: no link, no picture, no markup, no mention, on one line."""
    return _MARKDOWN.sub(_as_markdown, visible(text).replace("\n", " "))


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _as_markdown(found: re.Match[str]) -> str:
    sign = found[0]
    entities = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "&#64;", "://": "&#58;//", "www.": "www&#46;"}
    return entities.get(sign.lower(), f"\\{sign}")
