"""JSON trees with templates in them: worked out leaf by leaf, and what may be asked of the result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from zenflow.expr.evaluate import evaluate
from zenflow.expr.template import Template
from zenflow.expr.values import SKIPPED, Pending, Skipped, Value

PathKey: TypeAlias = tuple[str | int, ...]


def evaluate_tree(written: Any, scope: Mapping[str, Value], *, existing: bool = False) -> Any:
    """The tree with every template replaced by what it gives; leaves may be `Pending` or `SKIPPED`.

    `existing`: for `download`, `preview` and `outputs`, which take of a list what there is.
    """
    kind = type(written)
    if kind is Template:
        return evaluate(written, scope, existing=existing)
    if kind is dict:
        return {
            key: item if type(item) is str else evaluate_tree(item, scope, existing=existing)
            for key, item in written.items()
        }
    if kind is list or kind is tuple:
        return [evaluate_tree(item, scope, existing=existing) for item in written]
    return written


def undecided_in(tree: Any) -> Pending | Skipped | None:
    """What keeps a tree from being a value: the first part that it waits for, else one that will not come."""
    kind = type(tree)
    if kind is Pending or tree is SKIPPED:
        return tree  # type: ignore[no-any-return]
    if kind is not dict and kind is not list:
        return None
    skipped = None
    for item in tree.values() if kind is dict else tree:
        if type(item) is str:
            continue
        found = undecided_in(item)
        if type(found) is Pending:
            return found
        skipped = skipped or found
    return skipped


def pendings_in(tree: Any) -> list[Pending]:
    """Everything that a tree still waits for, in reading order."""
    return [leaf for leaf in _leaves(tree) if type(leaf) is Pending]


def has_skipped(tree: Any) -> bool:
    """Whether a value in it will not come."""
    return any(leaf is SKIPPED for leaf in _leaves(tree))


_WHOLE = frozenset({str, int, float, bool, Pending})


def without_nulls(tree: Any) -> Any:
    """Rule 13: a key whose value is null is not sent, and a null element is left out of its list."""
    if type(tree) is dict:
        return {
            key: item if type(item) in _WHOLE else without_nulls(item) for key, item in tree.items() if item is not None
        }
    if type(tree) is list:
        return [item if type(item) is str else without_nulls(item) for item in tree if item is not None]
    return tree


def templates_in(written: Any, path: PathKey = ()) -> Iterator[tuple[PathKey, Template]]:
    """Every template of a tree with its path from the root, in reading order."""
    kind = type(written)
    if kind is Template:
        yield path, written
    elif kind in _HOLDERS:
        for key, item in written.items() if kind is dict else enumerate(written):
            if type(item) is Template:
                yield (*path, key), item
            elif type(item) in _HOLDERS:
                yield from templates_in(item, (*path, key))


_HOLDERS = frozenset({dict, list, tuple})
_NESTED = frozenset({dict, list})


def _leaves(tree: Any) -> Iterable[Any]:
    kind = type(tree)
    if kind is not dict and kind is not list:
        return (tree,)
    items = tree.values() if kind is dict else tree
    return items if _NESTED.isdisjoint(map(type, items)) else _nested_leaves(items)  # nearly always flat


def _nested_leaves(items: Iterable[Any]) -> Iterator[Any]:
    stack = [iter(items)]
    while stack:
        for item in stack[-1]:
            kind = type(item)
            if kind is dict or kind is list:
                stack.append(iter(item.values() if kind is dict else item))
                break
            yield item
        else:
            stack.pop()
