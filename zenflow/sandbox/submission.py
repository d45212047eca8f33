"""Buying: one task with its calls, its debit, and everything that will become of it, written in one act.

What happens later is decided here and only read afterwards: when each call ends, how, and with which assets. Nothing
is idempotent: the same submission twice is two tasks and two debits (generation page).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from zenflow.sandbox.assets import Asset, AssetRecipe, Assets, fingerprint
from zenflow.sandbox.checks import asset_ids_in, check_submission, offer_named
from zenflow.sandbox.identity import made_id, share
from zenflow.sandbox.ledger import AccountLedger
from zenflow.sandbox.media.sizes import MAX_PIXELS, result_size
from zenflow.sandbox.offers.model import Offer
from zenflow.sandbox.settings import SandboxSettings
from zenflow.sandbox.store import Store

COMMENT_LIMIT = 500
# several picture backends refuse longer ones although the schema names no limit (docs/service.md, “Recorded answers”)
_PROMPT_LIMIT = 5_000
_DEBIT_AHEAD_S = 0.0001  # the ledger row is about 0.1 ms older than the task, as recorded
_START_DELAY_S = 1.0  # from `created` to `processing`; chosen by us
_OUTPUT_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

# Category, exception type and message as recorded; the key names are chosen by us.
INVALID_INPUT = {
    "category": "invalid_input",
    "exception_type": "ValueError",
    "message": "The call input was invalid or unsupported.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEffects:
    """What a mishap changes about a task that is being made; the plain one changes nothing."""

    price_shift: int = 0
    failing: frozenset[int] | None = frozenset()  # places of calls that fail; None: all of them
    endless: frozenset[int] | None = frozenset()  # places of calls that never end; None: all of them
    refund_after_s: float | None = 0.0  # after the call has failed; None: never
    hidden_s: float = 0.0  # how long the listing does not show the task
    lost_outputs: bool = False  # completed calls whose outputs name no asset

    def fails(self, place: int) -> bool:
        return self.failing is None or place in self.failing

    def never_ends(self, place: int) -> bool:
        return self.endless is None or place in self.endless


PLAIN = FaultEffects()


@dataclass(frozen=True, slots=True)
class _Call:
    row: tuple[object, ...]
    assets: list[Asset]
    refund: tuple[int, str, float] | None  # credits, call id, when


class Submissions:
    """Makes tasks."""

    def __init__(
        self, settings: SandboxSettings, store: Store, ledger: AccountLedger, assets: Assets, account: str
    ) -> None:
        self._settings = settings
        self._store = store
        self._ledger = ledger
        self._assets = assets
        self._account = account

    def submit(
        self, tool_name: str, inputs: Sequence[Any], comment: str | None, now_s: float, effects: FaultEffects = PLAIN
    ) -> str:
        """Check, debit, and write the task; gives its id. Raises Refusal with nothing changed."""
        offer = offer_named(tool_name)
        check_submission(offer, inputs, self._settings, lambda asset_id: self._assets.media_type_of(asset_id, now_s))
        prices = [self._price(offer, element) + effects.price_shift for element in inputs]
        with self._store.change():
            number = self._store.next_number()
            task_id = made_id(self._account, "task", number)
            self._ledger.debit(sum(prices), task_id, now_s)
            created_s = now_s + _DEBIT_AHEAD_S
            self._store.run(
                "INSERT INTO tasks (id, unique_name, tool_name, comment, inputs, total, created_at, starts_at, "
                "hidden_until)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                task_id,
                _unique_name(offer.name, task_id, created_s),
                offer.name,
                comment,
                json.dumps(inputs),
                len(inputs),
                created_s,
                created_s + _START_DELAY_S / self._settings.speed,
                now_s + effects.hidden_s,
            )
            self._write_calls(offer, inputs, prices, task_id, created_s, effects)
        return task_id

    def _price(self, offer: Offer, inputs: Mapping[str, Any]) -> int:
        return offer.price(inputs, offer.model_named(inputs.get("model")))

    def _write_calls(
        self,
        offer: Offer,
        inputs: Sequence[Any],
        prices: list[int],
        task_id: str,
        created_s: float,
        effects: FaultEffects,
    ) -> None:
        calls = [
            self._call(offer, element, price, task_id, place, created_s, effects)
            for place, (element, price) in enumerate(zip(inputs, prices, strict=True))
        ]
        self._store.run_many("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [call.row for call in calls])
        self._assets.add([asset for call in calls for asset in call.assets])
        for call in calls:
            if call.refund is not None:
                credits, call_id, due_s = call.refund
                self._ledger.promise_refund(credits, task_id, call_id, due_s)

    def _call(
        self,
        offer: Offer,
        inputs: dict[str, Any],
        price: int,
        task_id: str,
        place: int,
        created_s: float,
        effects: FaultEffects,
    ) -> _Call:
        call_id = made_id(task_id, "call", place)
        shortest, longest = offer.seconds
        took_s = shortest + (longest - shortest) * share(self._settings.seed, call_id, "duration")
        ends_s = None if effects.never_ends(place) else created_s + took_s / self._settings.speed
        references = [
            found for _, asset_id, _ in asset_ids_in(offer, inputs) if (found := self._assets.known(asset_id))
        ]
        size = result_size(offer.name, inputs, _first_size(references))
        if effects.fails(place) or _worker_refuses(offer, inputs, size):
            lost = (call_id, task_id, place, ends_s, "failed", json.dumps(INVALID_INPUT), None, "[]")
            refund = None
            if ends_s is not None and effects.refund_after_s is not None:
                refund = (price, call_id, ends_s + effects.refund_after_s)
            return _Call(lost, [], refund)
        available_s = ends_s if ends_s is not None else float("inf")
        assets = self._outputs(offer, inputs, call_id, references, size, available_s)
        asset_ids = [asset.asset_id for asset in assets]
        output = {} if effects.lost_outputs else _output(offer, inputs, asset_ids)
        row = (call_id, task_id, place, ends_s, "completed", None, json.dumps(output), json.dumps(asset_ids))
        return _Call(row, assets, None)

    def _outputs(
        self,
        offer: Offer,
        inputs: dict[str, Any],
        call_id: str,
        references: list[Asset],
        size: tuple[int, int] | None,
        available_s: float,
    ) -> list[Asset]:
        if offer.makes == "text" or size is None:
            return []
        model = offer.model_named(inputs.get("model"))
        value = model.value if model else None
        contents = {asset.asset_id: asset.fingerprint for asset in references}
        return [
            Asset(
                asset_id=made_id(call_id, "asset", index),
                media_type=_media_type(offer, inputs),
                width=size[0],
                height=size[1],
                available_at_s=available_s,
                fingerprint=fingerprint(self._settings.seed, offer.name, inputs, value, index, contents),
                recipe=AssetRecipe(
                    tool=offer.name,
                    inputs=inputs,
                    model=value,
                    index=index,
                    references=tuple(asset.asset_id for asset in references),
                ),
            )
            for index in range(offer.result_count(inputs))
        ]


def _unique_name(tool_name: str, task_id: str, created_s: float) -> str:
    """`<tool_name>-YYYY-MM-DD-HH-MM-<first 8 digits of the id>` in UTC, as recorded."""
    minute = datetime.fromtimestamp(created_s, UTC).strftime("%Y-%m-%d-%H-%M")
    return f"{tool_name}-{minute}-{task_id[:8]}"


def _first_size(references: list[Asset]) -> tuple[int, int] | None:
    if not references or references[0].width is None or references[0].height is None:
        return None
    return references[0].width, references[0].height


def _worker_refuses(offer: Offer, inputs: Mapping[str, Any], size: tuple[int, int] | None) -> bool:
    """Inputs that pass pricing and submission and fail in the worker, as one recorded call did."""
    prompt = inputs.get(offer.prompt_field) if offer.prompt_field else None
    too_long = offer.makes == "image" and isinstance(prompt, str) and len(prompt) > _PROMPT_LIMIT
    return too_long or (size is not None and size[0] * size[1] > MAX_PIXELS)


def _media_type(offer: Offer, inputs: Mapping[str, Any]) -> str:
    if offer.makes == "video":
        return "video/mp4"
    return _OUTPUT_TYPES[inputs.get("output_format", "png")]  # pictures are PNG unless asked otherwise, as measured


def _output(offer: Offer, inputs: Mapping[str, Any], asset_ids: list[str]) -> dict[str, Any]:
    if offer.makes == "text":
        return {"text": _reply(str(inputs["prompt"]), inputs.get("model") or "grok")}
    if offer.makes == "video":
        return {"video_asset": asset_ids[0]}
    return {"image_assets": asset_ids}  # recorded for image_editor


def _reply(prompt: str, model: str) -> str:
    words = prompt.split()
    head = " ".join(words[:12]) + ("…" if len(words) > 12 else "")
    return f"[{model}, sandbox] You asked: {head} ({len(words)} words). A live model would answer here."
