"""The other ZenCreator: account, assets, tasks, ledger and tools as the seeds tell them, different in every free choice.

Knows nothing of HTTP. A `Dialect` makes the choices; what goes wrong on the wire is the door's (`other_doors`).
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema
from other_accents import accented
from other_media import clip, picture
from other_offers import OFFERS, Offer

BILLING = "https://app.zencreator.pro/billing"


@dataclass(frozen=True)
class Dialect:
    """The free choices."""

    errors: str = "text"  # text | structured
    answers: str = "both"  # both | json_text (no structuredContent) | markdown (text) with structuredContent
    ledger: str = "delta"  # delta | credits | nested | plain | sizes (no minus: the kind tells; the task in words)
    rows_each: bool = False  # one debit for each call
    ledger_oldest_first: bool = False
    ledger_absent: bool = False
    ledger_kinds: bool = True
    prices: str = "int"  # int | float | text
    lean: bool = False  # optional fields are missing: has_more, total, finished_at, comment, channel
    extra: bool = True  # unknown fields everywhere
    results: str = "plain"  # plain | nested | url
    helpers: bool = True
    waits: bool = True  # wait_for_task
    batch_urls: bool = True
    description_chars: int = 900
    uuid_upper: bool = False
    duration_s: tuple[float, float] = (0.2, 1.2)
    poll_gap_s: float = 0.0
    per_second: float = 0.0
    url_life_s: float = 60.0
    url_once: bool = False
    bodies: str = "right"  # right | typeless | wrong | chunked
    list_lag_s: float = 0.0
    query_ignored: bool = False
    refunds: bool = True
    partial_word: bool = True
    calls_shuffled: bool = False
    calls_late: bool = False  # calls[] stays empty until they run
    uploaded_type: str | None = None
    counts: str = "int"  # int | text
    statuses: str = "lower"  # lower | upper | other (words)
    moments: str = "zoned"  # zoned | naive | space | epoch
    addresses: str = "whole"  # whole | relative
    comments_listed: bool = True
    page_most: int = 100  # a page holds no more, whatever is asked for
    quotes_check_assets: bool = False  # estimate_price looks its assets up, as create_task does


class Refusal(Exception):
    """An error that the service tells about."""

    def __init__(self, status: int, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.facts = status, message, facts


@dataclass
class Call:
    id: str
    params: dict[str, Any]
    ends: float
    fails: str | None = None
    output: Any = None
    assets: list[str] = field(default_factory=list)


@dataclass
class Task:
    id: str
    tool: str
    comment: str
    created: float
    price: float
    calls: list[Call]
    refunded: bool = False
    deleted: bool = False
    last_poll: float = -100.0


class Service:
    """One account's world."""

    def __init__(self, dialect: Dialect, *, credits: float = 1000, shared_limit: float = 1.0) -> None:
        self.dialect, self.credits, self._shared_limit = dialect, credits, shared_limit
        self._opened = time.time() - time.monotonic()  # read once: a service's time does not go back
        self.offers: dict[str, Offer] = dict(OFFERS)
        self.assets: dict[str, tuple[str, bytes]] = {}
        self.tasks: dict[str, Task] = {}
        self.rows: list[dict[str, Any]] = [self._row("topup", credits, None)]
        self.posts = 0  # create_task calls that reached us
        self.seen: Counter[str] = Counter()
        self.limited = 0
        self.fails: dict[int, str] = {}  # number of the call, counted over all tasks → why
        self.never: set[int] = set()
        self.refuses: Callable[[str, dict[str, Any]], str | None] = lambda tool, params: None
        self.price_of: Callable[[str, float], float] = lambda tool, price: price  # what is charged, not quoted
        self.me = {"is_trusted": True, "nsfw_allowed": True, "id": str(uuid.uuid4())}
        self.base = ""
        self._made = 0
        self._files: dict[str, tuple[str, float, bool]] = {}
        self._recent: list[float] = []

    def now(self) -> float:
        return time.monotonic() * self._shared_limit

    # ---- what a test asks

    @property
    def charged(self) -> float:
        return -sum(row["_amount"] for row in self.rows if row["_kind"] != "topup")

    @property
    def debits(self) -> list[float]:
        return [-row["_amount"] for row in self.rows if row["_kind"] == "debit"]

    def requests(self) -> Counter[str]:
        """How often each input was paid for."""
        return Counter(
            json.dumps([task.tool, call.params], sort_keys=True) for task in self.tasks.values() for call in task.calls
        )

    # ---- the tools

    def tool_names(self) -> list[str]:
        names = [name for name in vars(type(self)) if name.startswith("zencreator_")]
        if not self.dialect.helpers:
            names = [name for name in names if name not in ("zencreator_craft_prompt", "zencreator_describe_asset")]
        if not self.dialect.waits:
            names.remove("zencreator_wait_for_task")
        if not self.dialect.batch_urls:
            names = [name for name in names if not name.endswith("_urls")]
        if self.dialect.ledger_absent:
            names.remove("zencreator_list_credit_transactions")
        return names

    def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """structuredContent of a good answer. Raises Refusal."""
        self.seen[name] += 1
        if name == "zencreator_create_task":
            self.posts += 1
        if self.dialect.per_second:
            now = self.now()
            self._recent = [at for at in self._recent if now - at < 1] + [now]
            if len(self._recent) > self.dialect.per_second:
                self.limited += 1
                raise Refusal(429, "Rate limit exceeded (429), retry in 2s")
        arguments = {key: value for key, value in arguments.items() if key != "response_format"}
        said = self.dialect
        try:
            answer = getattr(self, name)(**arguments)
            return accented(answer, said.counts, said.statuses, said.moments, said.addresses)
        except TypeError as error:
            raise Refusal(422, f"{name}: {error}") from error

    def zencreator_get_me(self) -> Any:
        return {
            "email": None,
            "credits": self._amount(self.credits),
            "role": "user",
            "is_blocked": False,
            "active": True,
            "is_paying": True,
            "out_of_credits": self.credits <= 0,
            "purchase_url": BILLING,
            **self.me,
        }

    def zencreator_list_credit_transactions(self, limit: int = 20, offset: int = 0) -> Any:
        rows = self.rows if self.dialect.ledger_oldest_first else self.rows[::-1]
        return self._page([{k: v for k, v in row.items() if k[0] != "_"} for row in rows], limit, offset)

    def zencreator_list_tools(self, include_blocked: bool = True) -> Any:
        tools = [
            {"name": n, "description": f"The {n} tool", "price": self._amount(min(o.each.values())), "blocked": False}
            for n, o in self.offers.items()
        ]
        return {"count": len(tools), "tools": tools}

    def zencreator_get_tool_schema(self, tool_name: str) -> Any:
        offer = self._offer(tool_name, 404)
        found: dict[str, Any] = {
            "name": tool_name,
            "description": f"The {tool_name} tool",
            "price": self._amount(min(offer.each.values())),
            "input_schema": copy.deepcopy(offer.schema),
            "output_schema": offer.output,
        }
        if offer.models:
            found["models"] = [dict(model) for model in offer.models]
        return found

    def zencreator_estimate_price(self, tool_name: str, params: dict[str, Any]) -> Any:
        offer = self._offer(tool_name)
        self._check(tool_name, offer, [params], assets=self.dialect.quotes_check_assets)
        price = self._price(offer, params)
        return {"tool_name": tool_name, "price": self._amount(price), "raw": {"per_unit": 1, "total_price": price}}

    def zencreator_compare_prices(self, tool_name: str, params: dict[str, Any], resolutions: Any = None) -> Any:
        offer = self._offer(tool_name)
        if not offer.models:
            raise Refusal(400, f"{tool_name} has no model catalogue")
        rows = [
            {"model": m["value"], "price": self._amount(self._price(offer, {**params, "model": m["value"]}))}
            for m in offer.models
        ]
        return {"tool_name": tool_name, "count": len(rows), "prices": sorted(rows, key=lambda r: float(r["price"]))}

    def zencreator_create_task(
        self, tool_name: str, inputs: list[dict[str, Any]], comment: str = "", retry_id: str | None = None
    ) -> Any:
        offer = self._offer(tool_name)
        if not 1 <= len(inputs) <= 50:
            raise Refusal(422, "inputs must have 1..50 elements")
        if len(comment) > 500:
            raise Refusal(422, "comment: at most 500 characters")
        self._check(tool_name, offer, inputs)
        for at, params in enumerate(inputs):
            why = self.refuses(tool_name, params)
            if why is not None:
                raise Refusal(422, why.format(at=at))
        price = sum(self.price_of(tool_name, self._price(offer, params)) for params in inputs)
        if price > self.credits:
            raise Refusal(
                402,
                f"You're out of ZenCreator credits. Top up at {BILLING} to keep generating.",
                error_code="insufficient_credits",
                out_of_credits=True,
                purchase_url=BILLING,
            )
        task = Task(self._id(), tool_name, comment, self.now(), price, [])
        for params in inputs:
            task.calls.append(self._new_call(copy.deepcopy(params)))
        self.credits -= price
        self.tasks[task.id] = task
        for params in inputs if self.dialect.rows_each else ():
            self.rows.append(self._row("debit", -self.price_of(tool_name, self._price(offer, params)), task.id))
        if not self.dialect.rows_each:
            self.rows.append(self._row("debit", -price, task.id))
        return self._task(task, brief=True)

    def zencreator_get_task(self, task_id: str, include_error: bool = False) -> Any:
        task = self._known(task_id)
        if self.now() - task.last_poll < self.dialect.poll_gap_s:
            self.limited += 1
            raise Refusal(429, "Rate limit exceeded (429), retry in 2s")
        task.last_poll = self.now()
        return self._task(task)

    def zencreator_wait_for_task(self, task_id: str, timeout_s: float = 30, poll_interval_s: float = 2) -> Any:
        return self._waited(self._known(task_id))

    def zencreator_run_and_wait(
        self,
        tool_name: str,
        inputs: list[dict[str, Any]],
        comment: str = "",
        retry_id: str | None = None,
        timeout_s: float = 30,
        poll_interval_s: float = 2,
    ) -> Any:
        made = self.zencreator_create_task(tool_name, inputs, comment, retry_id)
        return self._waited(self.tasks[made["id"].lower()])

    def zencreator_get_call_result(self, call_id: str) -> Any:
        for task in self.tasks.values():
            for call in task.calls:
                if call.id == call_id.lower() and not task.deleted:
                    self._settle(task)
                    output = call.output
                    direct = self.dialect.results == "plain"
                    return {"call_id": call_id, "output": output, "asset_ids": call.assets if direct else []}
        raise Refusal(404, f"call {call_id} not found")

    def zencreator_list_tasks(
        self,
        tool_name: str | None = None,
        status: str | None = None,
        query: str | None = None,
        order_by: str = "created_at",
        direction: str = "desc",
        limit: int = 20,
        offset: int = 0,
    ) -> Any:
        found = []
        for task in self.tasks.values():
            if task.deleted or self.now() - task.created < self.dialect.list_lag_s:
                continue
            row = self._task(task, brief=True)
            if tool_name not in (None, task.tool) or status not in (None, row["status"]):
                continue
            if query and query not in task.comment and not self.dialect.query_ignored:
                continue
            if not self.dialect.comments_listed:
                del row["comment"]
            found.append(row)
        if direction == "desc":
            found.reverse()
        return self._page(found, limit, offset)

    def zencreator_get_processing_tasks(self) -> Any:
        busy = {t.tool for t in self.tasks.values() if self._status(t) in ("created", "processing")}
        return {"tools": [{"tool_name": n, "processing": n in busy} for n in self.offers], "any_processing": bool(busy)}

    def zencreator_delete_task(self, task_id: str) -> Any:
        self._known(task_id).deleted = True
        return {"deleted_task_id": task_id}

    def zencreator_craft_prompt(
        self,
        brief: str,
        tool_name: str,
        model: str,
        nsfw: bool = False,
        count: int = 1,
        references: list[dict[str, Any]] | None = None,
    ) -> Any:
        if len(brief) > 4000 or not 1 <= count <= 4:
            raise Refusal(422, "brief: at most 4000 characters; count: 1..4")
        for at, reference in enumerate(references or []):
            if len(reference.get("description") or "") > 800:
                raise Refusal(422, f"references[{at}].description: at most 800 characters")
            self._asset(reference["asset_id"])
        prompts = [{"prompt": f"{brief}, take {n + 1}"} for n in range(count)]
        return {"prompts": prompts, "model_used": model, "agent_model": "other-agent"}

    def zencreator_describe_asset(self, asset_id: str, force_refresh: bool = False) -> Any:
        media_type = self._asset(asset_id)[0]
        words = f"A subject beside a window, {asset_id[:8]}. "
        text = (words * (self.dialect.description_chars // len(words) + 1))[: self.dialect.description_chars]
        return {
            "asset_id": asset_id,
            "description": text,
            "media_type": media_type,
            "cached": False,
            "vision_model": "v",
        }

    def zencreator_upload_asset(
        self,
        source_url: str | None = None,
        data_base64: str | None = None,
        filename: str | None = None,
        media_type: str | None = None,
    ) -> Any:
        if (source_url is None) == (data_base64 is None):
            raise Refusal(400, "pass exactly one of 'source_url' or 'data_base64'")
        if data_base64 is not None:
            body = base64.b64decode(data_base64)
        elif source_url is not None and source_url.startswith("data:"):
            head, _, data = source_url[5:].partition(",")
            body = base64.b64decode(data) if head.endswith(";base64") else unquote_to_bytes(data)
            media_type = media_type or head.split(";")[0]
        else:
            body = picture(str(source_url))
        kind = media_type or _kind_of(filename or source_url or "")
        if kind is None:
            raise Refusal(422, "could not determine an allowed media_type")
        asset_id = self._keep(kind, body)
        return {"asset_id": asset_id, "media_type": self.dialect.uploaded_type or kind, "size_bytes": len(body)}

    def zencreator_get_asset(self, asset_id: str) -> Any:
        return {"id": asset_id, "media_type": self._asset(asset_id)[0]}

    def zencreator_get_asset_download_url(self, asset_id: str) -> Any:
        return {"asset_id": asset_id, "download_url": self._url(asset_id), "media_type": self._asset(asset_id)[0]}

    def zencreator_get_asset_download_urls(self, asset_ids: list[str]) -> Any:
        return self._each(asset_ids, self.zencreator_get_asset_download_url)

    def zencreator_get_asset_preview_url(self, asset_id: str, inline: bool = True) -> Any:
        kind = self._asset(asset_id)[0]
        return {"asset_id": asset_id, "preview_url": self._url(asset_id, small=True), "media_type": kind}

    def zencreator_get_asset_preview_urls(self, asset_ids: list[str], inline: bool = True) -> Any:
        return self._each(asset_ids, self.zencreator_get_asset_preview_url)

    # ---- files

    def file(self, key: str) -> tuple[int, str, bytes]:
        """Status, media type and body behind a signed address."""
        if key not in self._files or self._files[key][1] < self.now():
            return 403, "text/xml", b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
        asset_id, _, small = self._files[key]
        if self.dialect.url_once:
            del self._files[key]
        kind, body = self._asset(asset_id)
        return (200, "image/webp", picture(asset_id, "image/webp", (8, 8))) if small else (200, kind, body)

    # ---- within

    def _url(self, asset_id: str, small: bool = False) -> str:
        key = uuid.uuid4().hex
        self._files[key] = (asset_id, self.now() + self.dialect.url_life_s, small)
        return f"{self.base}/files/{key}?X-Signature=abc%2Fdef&X-Expires=2"

    def _each(self, asset_ids: list[str], one: Callable[[str], Any]) -> Any:
        if not 1 <= len(asset_ids) <= 50:
            raise Refusal(422, "asset_ids: 1..50")
        items = []
        for asset_id in asset_ids:
            try:
                items.append(one(asset_id))
            except Refusal as refusal:
                items.append({"asset_id": asset_id, "error": f"Error {refusal.status}: {refusal.message}"})
        good = sum("error" not in item for item in items)
        return {"count": len(items), "succeeded": good, "failed": len(items) - good, "items": items}

    def _page(self, items: list[Any], limit: int, offset: int) -> Any:
        if not 1 <= limit <= 100:
            raise Refusal(422, "limit must be within 1..100")
        cut = items[offset : offset + min(limit, self.dialect.page_most)]
        more = offset + len(cut) < len(items)
        page: dict[str, Any] = {"items": cut, "count": len(cut), "offset": offset}
        if not self.dialect.lean:
            page.update(total=len(items), has_more=more)
            if more:
                page["next_offset"] = offset + len(cut)
        return page

    def _offer(self, tool_name: str, status: int = 400) -> Offer:
        if tool_name not in self.offers:
            raise Refusal(status, f"unknown tool_name {tool_name!r}; valid: {', '.join(self.offers)}")
        return self.offers[tool_name]

    def _check(self, tool_name: str, offer: Offer, inputs: list[dict[str, Any]], assets: bool = True) -> None:
        found = []
        for at, params in enumerate(inputs):
            for error in jsonschema.Draft202012Validator(offer.schema).iter_errors(params):
                found.append(f"inputs.{at}{error.json_path[1:]}: {error.message}")
            model = params.get("model")
            values = {m["value"]: m for m in offer.models}
            if model is not None and model not in values:
                found.append(f"inputs.{at}.model: unknown model {model!r}")
            elif model and values[model].get("trusted_only") and not self.me["is_trusted"]:
                raise Refusal(403, f"{model} is for trusted users")
            for asset_id in _ids_in(params) if assets else ():
                if asset_id.lower() not in self.assets:
                    found.append(f"inputs.{at}: asset {asset_id} not found")
        if found:
            raise Refusal(422, "Validation failed: " + "; ".join(found))

    def _price(self, offer: Offer, params: dict[str, Any]) -> float:
        model = params.get("model") or next(iter(offer.each))
        return offer.each.get(model, 1.0) * int((offer.many and params.get(offer.many)) or 1)

    def _new_call(self, params: dict[str, Any]) -> Call:
        number, (least, most) = self._made, self.dialect.duration_s
        self._made += 1
        share = hashlib.sha256(str(number).encode()).digest()[0] / 255
        ends = float("inf") if number in self.never else self.now() + least + (most - least) * share
        return Call(self._id(), params, ends, fails=self.fails.get(number))

    def _settle(self, task: Task) -> None:
        offer = self.offers[task.tool]
        for call in task.calls:
            if call.ends <= self.now() and call.output is None and call.fails is None:
                call.output = self._result(offer, call)
        broken = [call for call in task.calls if call.fails is not None]
        if broken and self.dialect.refunds and not task.refunded and all(c.ends <= self.now() for c in task.calls):
            task.refunded = True
            back = sum(self._price(offer, call.params) for call in broken)
            self.credits += back
            self.rows.append(self._row("refund", back, task.id))

    def _result(self, offer: Offer, call: Call) -> Any:
        if offer.gives == "text":
            return {"choices": [{"message": {"content": f"said: {call.params['prompt']}"}}], "usage": {"tokens": 7}}
        many = int((offer.many and call.params.get(offer.many)) or len(call.params.get("themes", [])) or 1)
        kind = f"image/{call.params.get('output_format', 'png')}" if offer.gives == "image" else "video/mp4"
        for n in range(many):
            body = picture(f"{call.id}{n}", kind) if offer.gives == "image" else clip(f"{call.id}{n}")
            call.assets.append(self._keep(kind, body))
        if self.dialect.results == "plain":
            return {"image_assets": call.assets} if offer.gives == "image" else {"video_asset": call.assets[0]}
        if offer.gives == "video":
            return {"video_asset": {"id": call.assets[0], "duration": 5.0}, "seed": 7}
        return {"data": {"images": [{"id": a, "w": 24, "h": 32} for a in call.assets]}, "trace": str(uuid.UUID(int=7))}

    def _status(self, task: Task) -> str:
        self._settle(task)
        over = [call for call in task.calls if call.ends <= self.now()]
        if len(over) < len(task.calls):
            if over and self.dialect.partial_word:
                return "partial"
            return "processing" if self.now() - task.created > 0.1 else "created"
        broken = sum(call.fails is not None for call in over)
        return "failed" if broken == len(over) else "partial" if broken else "completed"

    def _task(self, task: Task, brief: bool = False) -> dict[str, Any]:
        status = self._status(task)
        over = [call for call in task.calls if call.ends <= self.now()]
        found: dict[str, Any] = {
            "id": self._shown(task.id),
            "unique_name": f"{task.tool}-2026-11-21-09-00-{task.id[:8]}",
            "tool_name": task.tool,
            "status": status,
            "total": len(task.calls),
            "done": sum(call.fails is None for call in over),
            "created_at": self._when(task.created),
            "comment": task.comment,
        }
        if not self.dialect.lean:
            found["finished_at"] = self._when(self.now()) if len(over) == len(task.calls) else None
            found["channel"] = "mcp"
        if self.dialect.extra:
            found.update(priority=3, links={"self": "/t"}, tags=[])
        if not brief:
            found["inputs"] = [call.params for call in task.calls]
            calls = [
                {
                    "id": self._shown(c.id),
                    "status": "processing" if c not in over else "failed" if c.fails else "completed",
                    "output": None,
                    "error": {"type": "ValueError", "detail": c.fails} if c in over and c.fails else None,
                }
                for c in task.calls
                if c in over or not self.dialect.calls_late
            ]
            found["calls"] = calls[::-1] if self.dialect.calls_shuffled else calls
            found["owner_id"] = self.me["id"]
        return found

    def _waited(self, task: Task) -> Any:
        """At once: a server under load may refuse to block, so the answer is what there is."""
        told = self._task(task)
        ended = told["status"] in ("completed", "failed") or all(c.ends <= self.now() for c in task.calls)
        calls = [
            {"call_id": c["id"], "status": c["status"], "output": None, "error": c["error"], "asset_ids": []}
            for c in told["calls"]
        ]
        for call in calls:
            if call["status"] == "completed":
                call.update(self.zencreator_get_call_result(call["call_id"]))
        return {
            "task_id": told["id"],
            **{key: told[key] for key in ("tool_name", "status", "total", "done", "created_at", "comment")},
            "timed_out": not ended,
            "duration_ms": 5,
            "polls": 1,
            "calls": calls,
            "asset_ids": [asset for call in calls for asset in call["asset_ids"]],
        }

    def _known(self, task_id: str) -> Task:
        task = self.tasks.get(str(task_id).lower())
        if task is None or task.deleted:
            raise Refusal(404, f"task {task_id} not found")
        return task

    def _asset(self, asset_id: str) -> tuple[str, bytes]:
        if str(asset_id).lower() not in self.assets:
            raise Refusal(404, f"asset {asset_id} not recognised")
        return self.assets[str(asset_id).lower()]

    def _keep(self, kind: str, body: bytes) -> str:
        asset_id = self._id()
        self.assets[asset_id] = (kind, body)
        return asset_id

    def _id(self) -> str:
        return str(uuid.uuid4())

    def _shown(self, found: str) -> str:
        return found.upper() if self.dialect.uuid_upper else found

    def _when(self, at: float) -> str:
        return datetime.fromtimestamp(self._opened + at / self._shared_limit, UTC).isoformat().replace("+00:00", "Z")

    def _amount(self, value: float) -> Any:
        if self.dialect.prices == "text":
            return f"{value:g}"
        return float(value) if self.dialect.prices == "float" or value != int(value) else int(value)

    def _row(self, kind: str, amount: float, task_id: str | None) -> dict[str, Any]:
        hidden = {"_kind": kind, "_amount": amount}
        shown, number, at = self._amount(amount), str(uuid.uuid4()), self._when(self.now()).replace("Z", "+00:00")
        words = {"debit": "GENERATION", "refund": "GENERATION_REFUND", "topup": "PURCHASE"}
        match self.dialect.ledger:
            case "delta":
                row = {"transaction_id": number, "delta": shown, "ref_task_id": task_id, "ts": at}
            case "credits":
                row = {"uuid": number, "credits": shown, "generation_task_id": task_id, "created": at}
            case "nested":
                row = {"id": number, "change": shown, "task": {"id": task_id} if task_id else None, "created_at": at}
            case "sizes":
                kinds = {"debit": "charge", "refund": "charge_refund", "topup": "credit"}
                size = self._amount(abs(amount))
                row = {"id": number, "amount": size, "type": kinds[kind], "description": f"{kind} of {task_id}"}
                return {**row, "created_at": at, **hidden}
            case _:
                row = {"id": number, "amount": shown, "task_id": task_id, "created_at": at}
        if self.dialect.ledger_kinds:
            row["reason"] = words[kind]
        return {**row, **hidden}


def _ids_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if len(value) == 36 and value.count("-") == 4 else []
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [found for part in values for found in _ids_in(part)]


def _kind_of(name: str) -> str | None:
    endings = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "mp4": "video/mp4"}
    return endings.get(name.split("?")[0].rsplit(".", 1)[-1].lower())
