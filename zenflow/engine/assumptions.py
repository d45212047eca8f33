"""What zenflow assumes of the service, and what happens where an assumption is false (docs/money.md, “What is
assumed of the service”).

Told once at the first paid run on a live server; printed in `docs/money.md`; those that can be measured are measured by
`zenflow doctor --probe`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assumption:
    """`measured`: `zenflow doctor --probe` can find out whether it holds on a server."""

    name: str
    said: str
    otherwise: str
    measured: bool = False


ASSUMPTIONS: tuple[Assumption, ...] = (
    Assumption(
        "A1",
        "a comment is kept verbatim and found by `query` within `lost_answer_wait` of acceptance",
        "the look's control fails, the unfiltered listing is read instead, and in the end a person decides",
        measured=True,
    ),
    Assumption(
        "A2",
        "a refusal and a 401 or 429 mean that nothing was charged",
        "the look before every re-send finds the task, and the ledger's check shows the row",
    ),
    Assumption(
        "A3",
        "debit and task are made in one act, and the transaction list shows the debit with the task's id",
        "there is no second witness: nothing is sent a second time without a person",
        measured=True,
    ),
    Assumption(
        "A4",
        "a request whose connection is gone takes effect within `lost_answer_wait`, or never",
        "a duplicate is possible; the next look sees and reports it with its price. No evidence can replace this one",
    ),
    Assumption(
        "A5",
        "`calls[]` is in the order of `inputs[]`",
        "results that tell it stop the step and a person decides; set `[limits] batch = 1`, which is done by itself where "
        "the probe has found it",
        measured=True,
    ),
    Assumption(
        "A6",
        "a submission is accepted whole or not at all",
        "what is there is taken, the rest is unknown",
    ),
    Assumption(
        "A7",
        "nobody deletes our tasks or copies our stamps between a submission and the look for it",
        "a debit stays unexplained, and a person decides",
    ),
    Assumption(
        "A8",
        "results stay readable by call id, assets by asset id, while the run lasts",
        "what was paid and cannot be read is told as not retrievable, with its ids; it is never paid again by itself",
    ),
)


def by_name(name: str) -> Assumption:
    return next(one for one in ASSUMPTIONS if one.name == name)
