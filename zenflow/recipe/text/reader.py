"""YAML text → a tree of `Node`s with the place of every key and value, or problems that speak of the text, not of YAML.

PyYAML's C parser gives events; the tree is our own, because only so does every key keep its line and column, scalars
follow YAML 1.2, duplicates are found, and aliases cost no memory. Knows nothing of recipes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from zenflow.foreign_text import first_bidi_mark
from zenflow.problems import Note, Place, Problems
from zenflow.recipe.text.lookalikes import may_be_cut, warn_if_cut, warn_of_unused_anchor
from zenflow.recipe.text.nesting import too_deep
from zenflow.recipe.text.nodes import Node, Text
from zenflow.recipe.text.scalars import BadScalar, resolve_plain
from zenflow.recipe.text.syntax_errors import report_syntax_error
from zenflow.suggest import nearest

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_NODES = 1_000_000  # with aliases counted as often as they stand; a file of 1 MiB cannot hold as many by itself
_MAX_PROBLEMS = 100
_SHORTER = "Long texts and lists are inputs: `-i name=@file` reads them from files of their own."
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff\ufeff]")
_FOREIGN_BREAKS = "\x85\u2028\u2029"  # line breaks for YAML 1.1, and so for libyaml, but not for YAML 1.2 or an editor
_STAND_INS = "\ue085\ue028\ue029"
_BREAK = re.compile(r"\r\n|\r|\n")


def decode(data: bytes, file: str, problems: Problems) -> str | None:
    """The text of a file, or a problem that says why there is none."""
    start = Place(file, 1, 1, 1, 2)
    if len(data) > MAX_BYTES:
        message = f"the file is longer than {MAX_BYTES:,} bytes (1 MiB), the most for a recipe"
        problems.error("ZF103", message, start, _SHORTER)
        return None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.error("ZF101", "the file is UTF-16 text; a recipe is UTF-8", start, "Save it as UTF-8.")
        return None
    if b"\0" in data[:8192]:
        problems.error("ZF102", "the file is binary data, not text", start, "Give the path of a recipe, a YAML file.")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n"), len(before) - (before.rfind("\n") + 1)
        place = Place(file, line + 1, column + 1, line + 1, column + 2)
        problems.error("ZF101", f"byte 0x{data[error.start]:02x} is not UTF-8", place, "Save the file as UTF-8.")
        return None


def parse_yaml(text: str, file: str, problems: Problems) -> Node | None:
    """The tree of one document. None when there is no tree at all; what could be read is read in any case."""
    text = text.removeprefix("\ufeff")
    source = Text(file, text, _BREAK.split(text))
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        problems.error(
            "ZF103", f"the text is longer than {MAX_BYTES:,} bytes (1 MiB)", source.place(0, 0, 0, 1), _SHORTER
        )
        return None
    forbidden = _FORBIDDEN.search(text)
    if forbidden is not None:
        _report_character(source, forbidden, problems)
        return None
    _warn_of_bidi_mark(source, problems)
    return _Builder(source, problems).build()


def _report_character(source: Text, match: re.Match[str], problems: Problems) -> None:
    before = _BREAK.split(source.text[: match.start()])
    line, column = len(before) - 1, len(before[-1])
    place = source.place(line, column, line, column + 1)
    character = f"U+{ord(match[0]):04X}"
    problems.error(
        "ZF121",
        f"the character {character} cannot stand in YAML",
        place,
        f'Write it as "\\u{ord(match[0]):04x}" in double quotes.',
    )


def _warn_of_bidi_mark(source: Text, problems: Problems) -> None:
    """A text with such a mark reads otherwise than it is carried out: a reviewer does not see what a step does."""
    offset = first_bidi_mark(source.text)
    if offset is None:
        return
    before = _BREAK.split(source.text[:offset])
    line, column = len(before) - 1, len(before[-1])
    problems.warning(
        "ZF128",
        f"the character U+{ord(source.text[offset]):04X} changes the direction of reading",
        source.place(line, column, line, column + 1),
        "Remove it, unless the text is in a script that is written from right to left.",
    )


_ALIAS = re.compile(r"\*([^\s,\[\]{}]+)")
_AFTER_A_DASH = frozenset("$\"'[{")  # `-${{ x }}` is one text to YAML, and never meant as one


class _TooMuch(Exception):
    """The text is refused; the problem has been noted."""


class _Builder:
    """Events in, nodes out. Depth is bounded, so it may call itself."""

    def __init__(self, source: Text, problems: Problems) -> None:
        self.source = source
        self.problems = problems
        self.anchors: dict[str, Node | None] = {}  # None: still being read
        self.unread: dict[str, Node] = {}  # plain texts with an anchor that nothing repeats yet
        self.may_be_cut = may_be_cut(source.text)
        self.foreign = any(character in source.text for character in _FOREIGN_BREAKS)
        self.total = 0

    def build(self) -> Node | None:
        text = self.source.text
        if self.foreign:
            text = text.translate(str.maketrans(_FOREIGN_BREAKS, _STAND_INS))
        loader = yaml.CSafeLoader(text)
        try:
            root = self._document(loader)
            repeated = set(_ALIAS.findall(text)) if self.unread else set()
            for name, node in self.unread.items():
                if name not in repeated:  # else it stands before the anchor, which is told
                    warn_of_unused_anchor(node, name, self.problems)
            return root
        except yaml.YAMLError as error:
            deep = too_deep(self.source.lines, MAX_DEPTH)  # a parser may refuse such a text before its events tell
            if deep is not None:
                self._report_depth(self.source.place(*deep, deep[0], deep[1] + 1))
            else:
                report_syntax_error(error, self.source, self.problems)
            return None
        except _TooMuch:
            return None
        finally:
            loader.dispose()

    def _document(self, loader: Any) -> Node | None:
        events: Iterator[Any] = iter(loader.get_event, None)
        root: Node | None = None
        for event in events:
            kind = type(event)
            if kind is yaml.DocumentStartEvent:
                if root is not None:
                    place = self._mark(event)
                    self.problems.error(
                        "ZF115",
                        "a second document begins here; a recipe is one",
                        place,
                        "Put it into a file of its own.",
                    )
                    return root
            elif kind is yaml.StreamEndEvent:
                break
            elif kind not in (yaml.StreamStartEvent, yaml.DocumentEndEvent):
                root = self._node(event, events, 0)
        if root is None or (root.kind == "scalar" and root.value is None):
            self.problems.error("ZF104", "the file is empty", self.source.place(0, 0, 0, 1), "Begin with `zenflow: 1`.")
            return None
        return root

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            return self._scalar(event)
        if kind is yaml.AliasEvent:
            return self._alias(event)
        if depth >= MAX_DEPTH:
            self._report_depth(self._mark(event))
            raise _TooMuch
        if event.tag is not None:
            self._report_tag(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node = (
            self._mapping(event, events, depth) if kind is yaml.MappingStartEvent else self._list(event, events, depth)
        )
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _scalar(self, event: Any) -> Node:
        value: Any = event.value
        style = event.style
        if self.foreign:
            value = value.translate(str.maketrans(_STAND_INS, _FOREIGN_BREAKS))
        node = Node(self.source, "scalar", value, event.start_mark, event.end_mark, style)
        if event.tag is not None:
            self._report_tag(event)
        elif not style:
            if value[:1] == "-" and value[1:2] in _AFTER_A_DASH and value[1:4] != "$${":
                hint = f"Write `- {self.source.line(node.line)[node.column + 1 :].strip()}`."
                self._error("ZF107", "there is no space after the dash", node.place, hint)
            try:
                resolved = resolve_plain(value)
            except BadScalar as bad:
                self.problems.error(bad.code, bad.message, node.place, bad.hint)
                resolved = 0
            if resolved is not value:
                node.raw = value
                node.value = resolved
            elif self.may_be_cut:
                warn_if_cut(node, self.problems)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
            if not style:
                self.unread[event.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        found = self.anchors.get(event.anchor)
        self.unread.pop(event.anchor, None)
        place = self._mark(event, len(event.anchor) + 1)
        if found is not None:
            return found
        if event.anchor in self.anchors:
            hint = f"Write out what is meant here, or move `&{event.anchor}` to the part that is to be repeated."
            self.problems.error("ZF125", f"`*{event.anchor}` stands inside what it repeats", place, hint)
        else:
            hint = self._instead_of_alias(event)
            self.problems.error("ZF112", f"there is no anchor `&{event.anchor}` above", place, hint)
        return Node(self.source, "scalar", None, event.start_mark, event.end_mark)

    def _instead_of_alias(self, event: Any) -> str:
        near = nearest(event.anchor, self.anchors)
        if near:
            return f"Did you mean `*{near}`?"
        if re.search(rf"&{re.escape(event.anchor)}\b", self.source.text):
            return f"`&{event.anchor}` stands further down: it has to come first."
        return f'If text is meant, write it in quotes: "*{event.anchor}".'

    def _list(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        items: list[Node] = []
        node = Node(self.source, "list", [], event.start_mark, event.end_mark, "[" if event.flow_style else None)
        for child in events:
            if type(child) is yaml.SequenceEndEvent:
                node.ends(child.end_mark)
                break
            item = self._node(child, events, depth + 1)
            items.append(item)
            node.size += item.size
        node.items = items
        node.value = [item.value for item in items]
        self._bound(node)
        return node

    def _mapping(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        node = Node(self.source, "mapping", {}, event.start_mark, event.end_mark, "{" if event.flow_style else None)
        entries: dict[str, tuple[Node, Node]] = {}
        node.entries = entries
        merges: list[Node] = []
        merge_key: Node | None = None
        for child in events:
            if type(child) is yaml.MappingEndEvent:
                node.ends(child.end_mark)
                break
            key = self._scalar(child) if type(child) is yaml.ScalarEvent else None
            if key is None or type(key.value) is not str:
                key = self._key(child, key, events, depth)
            event = next(events)
            value = self._scalar(event) if type(event) is yaml.ScalarEvent else self._node(event, events, depth + 1)
            node.size += value.size
            if key is None:
                continue
            if key.value == "<<" and not key.style:
                if merge_key is not None:
                    self._report_second_merge(merge_key, key)
                else:
                    merges, merge_key = self._merged(key, value), key
            elif key.value in entries:
                note = Note("first written here", entries[key.value][0].place)
                self._error("ZF117", f"`{key.value}` is written twice", key.place, "Keep one of them.", (note,))
            else:
                entries[key.value] = (key, value)
        if merges:
            node.entries = entries = _with_merged(entries, merges)
            node.size += sum(merged.size for merged in merges)
        node.value = {name: entry[1].value for name, entry in entries.items()}
        self._bound(node)
        return node

    def _key(self, event: Any, scalar: Node | None, events: Iterator[Any], depth: int) -> Node | None:
        """A key that is no plain text: an alias of one, or None (and a problem)."""
        node = scalar or self._node(event, events, depth + 1)
        if node.kind == "scalar" and type(node.value) is str:
            return node
        if type(event) is yaml.AliasEvent:
            return None  # reported, or not text
        line = self.source.line(event.start_mark.line)
        if node.kind == "mapping" and "{{" in line:
            from zenflow.recipe.text.syntax_errors import quoted_line

            place = self.source.place(
                event.start_mark.line, event.start_mark.column - 1, event.start_mark.line, event.start_mark.column + 1
            )
            self._error(
                "ZF110", "`{{` begins a YAML mapping here, not an expression", place, f"Write `{quoted_line(line)}`."
            )
        elif node.kind == "scalar":
            shown = node.raw or "null"
            hint = f'Write it in quotes: "{shown}".' if node.raw else "Write a name before the colon."
            self._error("ZF116", f"the key `{shown}` is not text", node.place, hint)
        else:
            self._error("ZF116", f"a key is text, not a {node.kind}", node.place, "Write a name before the colon.")
        return None

    def _merged(self, key: Node, value: Node) -> list[Node]:
        if value.kind == "scalar" and value.value is None and value.length:
            return []  # an alias of nothing, which is told
        sources = value.items if value.kind == "list" else [value]
        for source in sources:
            if source.kind != "mapping":
                self._error(
                    "ZF120", "`<<` takes a mapping or a list of mappings", value.place, "As in `<<: *defaults`."
                )
                return []
        return sources

    def _report_second_merge(self, first: Node, key: Node) -> None:
        note = Note("first written here", first.place)
        names = [_alias_at(self.source, one) for one in (first, key)]
        both = ", ".join(names) if all(names) else "*a, *b"
        self._error("ZF117", "`<<` is written twice", key.place, f"Write both in one: `<<: [{both}]`.", (note,))

    def _bound(self, node: Node) -> None:
        if node.size > MAX_NODES:
            self.problems.error(
                "ZF113",
                f"the aliases repeat each other to more than {MAX_NODES:,} values",
                node.place,
                "Write it without aliases.",
            )
            raise _TooMuch

    def _report_depth(self, place: Place) -> None:
        hint = "Pass what lies so deep as an input, or put it into a recipe of its own."
        self.problems.error("ZF114", f"nested deeper than {MAX_DEPTH} levels", place, hint)

    def _report_tag(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        place = self._mark(event, len(tag) if len(tag) > 1 else 1)
        value = getattr(event, "value", None)
        text = f': "{tag} {value}"' if type(value) is str and value and not event.style else ""
        hint = f"Leave it out; text that begins with `!` is written in quotes{text}."
        if re.match(r"!(inputs|steps|item|index|origin|previous)\b", tag):
            hint = f"For an expression: `${{{{ not {tag[1:]} }}}}`."
        self._error("ZF111", f"tags such as `{tag}` are not part of a recipe", place, hint)

    def _error(self, code: str, message: str, place: Place, hint: str | None, notes: tuple[Note, ...] = ()) -> None:
        self.problems.error(code, message, place, hint, notes)
        self.total += 1
        if self.total >= _MAX_PROBLEMS:
            raise _TooMuch

    def _mark(self, event: Any, length: int = 1) -> Place:
        mark = event.start_mark
        return self.source.place(mark.line, mark.column, mark.line, mark.column + length)


def _with_merged(own: dict[str, tuple[Node, Node]], merges: list[Node]) -> dict[str, tuple[Node, Node]]:
    """A key of one's own beats a merged one, and of several merged mappings the first wins."""
    merged: dict[str, tuple[Node, Node]] = {}
    for source in merges:
        for name, entry in source.entries.items():
            merged.setdefault(name, entry)
    return {**merged, **own}


def _alias_at(source: Text, key: Node) -> str:
    """The alias that stands behind a key on its line, as it is written; empty when another thing does."""
    found = re.match(r"\s*:\s*(\*[^\s,\]}]+)\s*$", source.line(key.line)[key.end_column :])
    return found[1] if found else ""
