"""The service as a deterministic state machine on a clock: account, tasks, calls, assets, the list of transactions.

As the seeds describe it: the debit is made at submission, one row per task; nothing is idempotent; what a call gives comes
to be when its time has passed and is seen when somebody asks. What a result shows follows from the request alone, so that
two runs can be compared. It knows nothing of the wire (`provider`) and of who asks.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import json
import math
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from tests.support.offers import OFFERS, Offer
from zenflow.clock import Clock
from zenflow.ids import is_uuid

MOST_INPUTS = 50  # docs/service.md, “Generation”
NEVER = math.inf


class Refusal(Exception):
    """The service's no to a request, before anything was charged."""

    def __init__(self, status: int, message: str, violations: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.status, self.message, self.violations = status, message, tuple(violations)


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one call. `gives`: assets named, or only as UUIDs in the output beside what went in, or none."""

    seconds: float = 10.0
    error: str | None = None
    refund_after_s: float | None = None  # None: a failure is never refunded
    gives: Literal["named", "in the output", "nothing"] = "named"
    result_after_s: float = 0.0  # `get_call_result` answers 404 for this long after the call is completed
    missing: int = 0  # results that do not come, of those asked for


@dataclass(slots=True)
class MadeCall:
    call_id: str
    params: Mapping[str, Any]
    fate: Fate
    ends_s: float
    asset_ids: tuple[str, ...] = ()


@dataclass(slots=True)
class MadeTask:
    """One task. `posted`: by a `create_task` that reached us (a copy by a stranger is not)."""

    task_id: str
    tool: str
    inputs: tuple[Mapping[str, Any], ...]
    comment: str
    created_at: datetime
    created_s: float
    calls: tuple[MadeCall, ...]
    charged: Decimal
    posted: bool = True
    owner_id: str = ""
    deleted: bool = False
    listed_from_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list of transactions; a debit is negative."""

    transaction_id: str
    amount: Decimal
    task_id: str | None
    at: datetime
    owner_id: str = ""
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class MadeAsset:
    media_type: str
    body: bytes


@dataclass(slots=True)
class ScriptedService:
    clock: Clock
    credits: Decimal = Decimal(10_000)
    seed: int = 0
    account_id: str = "account-1"
    fate: Callable[[str, Mapping[str, Any], int], Fate] = lambda tool, params, number: Fate()
    refuses: Callable[[str, Mapping[str, Any]], str | None] = lambda tool, params: None  # 422, why
    names_violations: bool = True
    price_tells: bool = True  # `estimate_price` refuses what `create_task` refuses
    lag_s: Callable[[int], float] = lambda number: 0.0  # how long the n-th task is not listed
    offers: Mapping[str, Offer] = field(default_factory=lambda: OFFERS)
    price_factor: Decimal = Decimal(1)  # moves prices for quotes and charges alike
    surcharge: Decimal = Decimal(0)  # charged beyond the quote, per call
    tells: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda params: {}  # more that an output says
    tasks: dict[str, MadeTask] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)  # oldest first
    assets: dict[str, MadeAsset] = field(default_factory=dict)
    posts: int = 0  # `create_task` requests that reached us
    _calls: dict[str, tuple[MadeTask, MadeCall]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _random: random.Random = field(init=False)
    _offset: tuple[float, datetime] = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"service-{self.seed}")
        self._offset = (self.clock.monotonic_s(), self.clock.now())

    # ------------------------------------------------------------------------------------------------------------- time

    def settle(self) -> None:
        """Let everything happen that is due by now, each at its own time."""
        now = self.clock.monotonic_s()
        while self._due and self._due[0][0] <= now:
            _, _, act = heapq.heappop(self._due)
            act()

    def later(self, wait_s: float, act: Callable[[], None]) -> None:
        """Do something at its time; it is seen by whoever asks after that."""
        heapq.heappush(self._due, (self.clock.monotonic_s() + wait_s, next(self._numbers), act))

    def moment(self, at_s: float) -> datetime:
        began_s, began = self._offset
        return began + timedelta(seconds=at_s - began_s)

    @property
    def balance(self) -> Decimal:
        """Of the account that is signed in: what others have spent is none of its credits."""
        foreign = (row.amount for row in self.rows if row.owner_id != self.account_id)
        return self.credits - sum(foreign, Decimal(0))

    # ------------------------------------------------------------------------------------------------------------ prices

    def price(self, tool: str, params: Mapping[str, Any]) -> Decimal:
        """One call's price. Raises Refusal."""
        offer = self._checked(tool, params, 0)
        if self.price_tells and (why := self.refuses(tool, params)) is not None:
            raise Refusal(422, why)
        return self._price(offer, params)

    def _price(self, offer: Offer, params: Mapping[str, Any]) -> Decimal:
        return offer.each * _results(offer, params) * self.price_factor

    def _checked(self, tool: str, params: Mapping[str, Any], position: int) -> Offer:
        offer = self.offers.get(tool)
        if offer is None:
            raise Refusal(404, f"unknown tool {tool}")
        missing = [name for name in offer.required if name not in params]
        unknown = [name for name in params if name not in offer.fields]
        if missing or unknown:
            named = f"inputs[{position}].{(missing or unknown)[0]}: {'Field required' if missing else 'not permitted'}"
            raise Refusal(422, "validation failed", (named,))
        return offer

    # ------------------------------------------------------------------------------------------------------------- tasks

    def create(
        self,
        tool: str,
        inputs: Sequence[Mapping[str, Any]],
        comment: str,
        *,
        posted: bool = True,
        owner_id: str | None = None,
    ) -> MadeTask:
        """`create_task`: charged at once, whole or not at all. `owner_id`: who had signed in when it was sent. Raises
        Refusal."""
        self.settle()
        self.posts += posted
        if not 1 <= len(inputs) <= MOST_INPUTS:
            raise Refusal(422, "inputs: between 1 and 50 elements", ("inputs: between 1 and 50 elements",))
        self._refuse_bad(tool, inputs, posted)
        offer = self.offers[tool]
        charge = sum((self._price(offer, one) + self.surcharge for one in inputs), Decimal(0))
        if charge > self.credits:
            raise Refusal(402, "out of credits")
        origin = posted, self.account_id if owner_id is None else owner_id
        return self._made(offer, inputs, comment, charge, origin)

    def _refuse_bad(self, tool: str, inputs: Sequence[Mapping[str, Any]], posted: bool) -> None:
        violations = []
        for position, params in enumerate(inputs):
            self._checked(tool, params, position)
            why = self.refuses(tool, params) or self._unknown_asset(params)
            if why is not None:
                violations.append(f"inputs[{position}].prompt: {why}")
        if violations and posted:  # what others make is none of our tests' business
            raise Refusal(422, "validation failed", violations if self.names_violations else ())

    def _unknown_asset(self, params: Mapping[str, Any]) -> str | None:
        for value in params.values():
            for one in value if isinstance(value, list) else (value,):
                if isinstance(one, str) and is_uuid(one) and one not in self.assets:
                    return f"no asset {one}"
        return None

    def _made(
        self, offer: Offer, inputs: Sequence[Mapping[str, Any]], comment: str, charge: Decimal, origin: tuple[bool, str]
    ) -> MadeTask:
        now_s, number = self.clock.monotonic_s(), len(self.tasks)
        calls: list[MadeCall] = []
        for params in inputs:
            fate = self.fate(offer.name, params, len(self._calls) + len(calls))
            calls.append(MadeCall(self.new_id(), dict(params), fate, now_s + fate.seconds))
        copied = tuple(dict(params) for params in inputs)
        now, made = self.moment(now_s), tuple(calls)
        task = MadeTask(self.new_id(), offer.name, copied, comment, now, now_s, made, charge, *origin)
        task.listed_from_s = now_s + self.lag_s(number)
        self.tasks[task.task_id] = task
        self._book(-charge, task.task_id)
        for call in calls:
            self._calls[call.call_id] = (task, call)
            self._refund_later(task, call, offer)
        return task

    def _refund_later(self, task: MadeTask, call: MadeCall, offer: Offer) -> None:
        fate = call.fate
        if fate.error is not None and fate.refund_after_s is not None and fate.seconds < NEVER:
            amount = self._price(offer, call.params)
            self.later(fate.seconds + fate.refund_after_s, lambda: self._book(amount, task.task_id))

    def _book(self, amount: Decimal, task_id: str | None) -> None:
        self.credits += amount
        now_s = self.clock.monotonic_s()
        owner_id = self.tasks[task_id].owner_id if task_id is not None else self.account_id
        self.rows.append(Row(f"row-{len(self.rows) + 1}", amount, task_id, self.moment(now_s), owner_id, now_s))

    # ----------------------------------------------------------------------------------------------------------- by others

    def copy(self, task: MadeTask, inputs: Sequence[Mapping[str, Any]] | None = None) -> MadeTask:
        """Somebody copies one of our tasks, comment and all, in the web app."""
        return self.create(task.tool, task.inputs if inputs is None else inputs, task.comment, posted=False)

    def spend_elsewhere(self, prompt: str = "somebody else's picture") -> MadeTask:
        """Another client of the account makes a picture."""
        return self.create("image_editor", [{"prompt": prompt}], "web", posted=False)

    def seen(self, task: MadeTask) -> bool:
        """Whether whoever is signed in now may see it: an account sees its own."""
        return task.owner_id == self.account_id and not task.deleted

    # ------------------------------------------------------------------------------------------------------------- results

    def find_call(self, call_id: str) -> tuple[MadeTask, MadeCall] | None:
        return self._calls.get(call_id)

    def is_over(self, call: MadeCall) -> bool:
        return call.ends_s <= self.clock.monotonic_s()

    def output_of(self, task: MadeTask, call: MadeCall) -> tuple[Any, tuple[str, ...]]:
        """What a completed call gives: its output and the assets that the service names for it."""
        offer = self.offers[task.tool]
        if offer.gives == "text":
            return {"text": f"an answer to {call.params.get('prompt')}"}, ()
        if call.fate.gives == "nothing":
            return {"note": "made, and nowhere to be found"}, ()
        if not call.asset_ids:
            count = max(0, _results(offer, call.params) - call.fate.missing)
            call.asset_ids = tuple(self._draw(offer, call.params, place) for place in range(count))
        if call.fate.gives == "in the output":
            return {"request": dict(call.params), "note": f"see {', '.join(call.asset_ids)}"}, ()
        return {offer.gives: list(call.asset_ids), **self.tells(call.params)}, call.asset_ids

    def _draw(self, offer: Offer, params: Mapping[str, Any], place: int) -> str:
        """A body that follows from the request alone: ids of assets count as what the assets show."""
        shown = json.dumps([offer.name, self.shown(params), place], sort_keys=True)
        return self.add_asset(offer.media_type, hashlib.sha256(shown.encode()).hexdigest().encode())

    def shown(self, value: Any) -> Any:
        """With every id of an asset replaced by what the asset shows."""
        if isinstance(value, Mapping):
            return {key: self.shown(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.shown(item) for item in value]
        asset = self.assets.get(value) if isinstance(value, str) else None
        return value if asset is None else asset.body.decode("latin-1")

    def add_asset(self, media_type: str, body: bytes) -> str:
        asset_id = self.new_id()
        self.assets[asset_id] = MadeAsset(media_type, body)
        return asset_id

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def _results(offer: Offer, params: Mapping[str, Any]) -> int:
    if offer.results is None:
        return 1
    asked = params.get(offer.results, 1)
    return asked if isinstance(asked, int) else 1
