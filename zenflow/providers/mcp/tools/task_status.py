"""How far a task or a call is, in the words of docs/service.md, “Generation”; and which call belongs to which input.

The words for calls are documented nowhere, and the vendor's own REST API says `queued` and `succeeded` of the same work
(docs/service.md, “Not known”), so other words are understood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zenflow.providers.base import Call, TaskStatus
from zenflow.providers.mcp.session.answers import first, text_at, whole_at

_SAME = {
    "completed": ("complete", "succeeded", "success", "successful", "done", "finished", "ready", "ok"),
    "failed": ("failure", "fail", "error", "errored", "rejected", "cancelled", "canceled", "aborted"),
    "processing": ("running", "in_progress", "inprogress", "started", "generating", "working", "active", "in progress"),
    "created": ("queued", "pending", "waiting", "new", "submitted", "scheduled", "accepted"),
}
_WORDS = {word: known for known, words in _SAME.items() for word in words} | {known: known for known in _SAME}
_PLACES = ("index", "input_index", "position", "order", "sequence", "number", "idx")
_INPUTS = ("input", "params", "inputs", "parameters", "arguments")


def status_of(row: Mapping[str, Any]) -> TaskStatus:
    """A word of docs/service.md, “Generation” where one is meant; any other as it is, in lower case."""
    word = (text_at(row, "status", "state") or "").strip().lower().replace("-", "_")
    return _WORDS.get(word, word)


def concluded(call: Call, task_status: TaskStatus, done: int | None, total: int | None) -> Call:
    """A call whose own word says nothing, of a task that is over, is over too: failed where it has an error."""
    if call.status in (*_SAME, "partial"):
        return call
    is_over = task_status in ("completed", "failed") or (done is not None and done == total and done > 0)
    if not is_over:
        return call
    return Call(call.call_id, "failed" if call.error or task_status == "failed" else "completed", call.error)


def in_order(rows: Sequence[Mapping[str, Any]], inputs: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Calls in the order of the inputs, where they say themselves which they belong to; else as they came (A5)."""
    for key in _PLACES:
        places = [whole_at(row, key) for row in rows]
        if None not in places and len(set(places)) == len(places):
            return sorted(rows, key=lambda row: whole_at(row, key) or 0)
    for key in _INPUTS:
        own = [first(row, key) for row in rows]
        if len(own) == len(inputs) and all(isinstance(one, Mapping) for one in own):
            return _matched(rows, own, inputs) or rows
    return rows


def _matched(
    rows: Sequence[Mapping[str, Any]], own: Sequence[Any], inputs: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]] | None:
    left = list(range(len(rows)))
    ordered = []
    for wanted in inputs:
        found = next((at for at in left if own[at] == wanted), None)
        if found is None:
            return None
        left.remove(found)
        ordered.append(rows[found])
    return ordered
