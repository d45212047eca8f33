"""The tree of a YAML text: plain values, and where each key and value stands.

A `Node` keeps the parser's own marks; a `Place` is made only when somebody asks, because most are never asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from zenflow.problems import Place
from zenflow.recipe.model import PathKey, Places

Kind = Literal["scalar", "mapping", "list"]

# Shared by all scalars and never written to: two containers fewer per value that the collector has to walk.
_NO_ENTRIES: dict[str, tuple[Node, Node]] = {}
_NO_ITEMS: list[Node] = []


@dataclass(frozen=True, slots=True)
class Text:
    """One source text, with what is needed to find a place in it."""

    file: str
    text: str
    lines: list[str] = field(compare=False, repr=False)

    def line(self, number: int) -> str:
        """Line `number`, from 0; empty beyond the end."""
        return self.lines[number] if 0 <= number < len(self.lines) else ""

    def place(self, line: int, column: int, end_line: int, end_column: int) -> Place:
        """From what counts from 0 to what people count; never empty."""
        if end_line <= line and end_column <= column:
            end_line, end_column = line, column + 1
        return Place(self.file, line + 1, column + 1, end_line + 1, end_column + 1)


class Node:
    """One value. `value` is the plain value of the whole subtree; `entries` and `items` lead to the parts of it."""

    __slots__ = (
        "column",
        "end_column",
        "end_line",
        "entries",
        "items",
        "kind",
        "length",
        "line",
        "raw",
        "size",
        "source",
        "style",
        "value",
    )

    def __init__(self, source: Text, kind: Kind, value: Any, start: Any, end: Any, style: str | None = None) -> None:
        """`start` and `end` are the parser's marks; numbers are kept of them, because a mark is an object to collect."""
        self.source = source
        self.kind: Kind = kind
        self.value = value
        self.line: int = start.line  # from 0, as the column
        self.column: int = start.column
        self.end_line: int = end.line
        self.end_column: int = end.column
        self.length: int = end.index - start.index  # characters as they are written
        self.style = style
        self.raw: str | None = None  # of a plain scalar that was read as something else than text
        self.entries: dict[str, tuple[Node, Node]] = _NO_ENTRIES
        self.items: list[Node] = _NO_ITEMS
        self.size = 1  # nodes, counted as often as aliases repeat them

    @property
    def place(self) -> Place:
        if self.kind != "scalar" and self.style is None:
            return self._place_of_block()
        if self.end_line > self.line or self.style in ("|", ">"):
            return self._place_of_block()
        return self.source.place(self.line, self.column, self.end_line, self.end_column)

    def _place_of_block(self) -> Place:
        """What takes several lines is shown by its first."""
        return self.source.place(self.line, self.column, self.line, len(self.source.line(self.line).rstrip()))

    def ends(self, mark: Any) -> None:
        """Called when the end of a mapping or a list is read."""
        self.end_line, self.end_column = mark.line, mark.column

    def get(self, key: str) -> Node | None:
        entry = self.entries.get(key)
        return None if entry is None else entry[1]

    def key_place(self, key: str) -> Place:
        entry = self.entries.get(key)
        return self.place if entry is None else entry[0].place


def places_of(node: Node, root: Place | None = None) -> Places:
    """The places of one subtree, worked out when they are asked for."""
    return Places(keys=_LazyPlaces(node, keys=True), values=_LazyPlaces(node, keys=False), root=root or node.place)


class _LazyPlaces(Mapping[PathKey, Place]):
    """`("with", "model")` → its place, by walking down the tree."""

    __slots__ = ("_keys", "_node")

    def __init__(self, node: Node, keys: bool) -> None:
        self._node = node
        self._keys = keys

    def __getitem__(self, path: PathKey) -> Place:
        key_node: Node | None = None
        node = self._node
        for part in path:
            if isinstance(part, str):
                key_node, node = node.entries[part]
            else:
                if not 0 <= part < len(node.items):
                    raise KeyError(path)
                key_node, node = None, node.items[part]
        if not self._keys:
            return node.place
        if key_node is None:
            raise KeyError(path)
        return key_node.place

    def __contains__(self, path: object) -> bool:
        try:
            self[path]  # type: ignore[index]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[PathKey]:
        stack: list[tuple[PathKey, Node]] = [((), self._node)]
        while stack:
            path, node = stack.pop()
            if not self._keys:
                yield path
            for key, (_, child) in node.entries.items():
                if self._keys:
                    yield (*path, key)
                stack.append(((*path, key), child))
            stack.extend(((*path, position), child) for position, child in enumerate(node.items))

    def __len__(self) -> int:
        return sum(1 for _ in self)
