"""The door to a service that makes pictures and video: its nouns, and what may be asked of it.

A provider repeats nothing by itself and decides nothing about money. Free questions raise `ServiceError`; the paid one,
`submit`, never raises for what the service or the wire does: it answers with facts; `engine/model/response_class` reads them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Protocol

from zenflow.catalog.model import Account, Catalog
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.errors import ZenflowError

Reached = Literal["not_connected", "not_fully_sent", "sent", "answered"]
"""How far one request got: no connection; body not fully sent; sent, no (whole) answer; an HTTP answer was read."""


@dataclass(frozen=True, slots=True)
class WireFacts:
    """What is known of one request on the wire. `status` is the HTTP status where an answer's head was read."""

    reached: Reached
    status: int | None = None
    retry_after_s: float | None = None
    detail: str = ""
    closed_at: datetime | None = None  # when our connection for it was gone, for `lost_answer_wait`


ServiceTrouble = Literal[
    "unreachable",  # no connection, or it broke; the request may or may not have been read
    "not_mcp",  # something answers there, and it does not speak MCP
    "sign_in",  # 401: the token is missing, expired or refused
    "rate_limited",  # 429
    "out_of_credits",  # 402
    "forbidden",  # 403
    "not_found",  # 404
    "invalid",  # 400, 422
    "absent",  # this deployment has no such tool (a helper without its sidecar)
    "server",  # 5xx, an edge time-out, an answer that cannot be read
]


_STOPPED_GOES_ON = " A stopped run goes on: `zenflow resume`."
SIGN_IN_AGAIN = f"Sign in again: `zenflow login` (in CI: a fresh ZENFLOW_TOKEN).{_STOPPED_GOES_ON}"


class ServiceError(ZenflowError):
    """A free question went wrong. `trouble` is what the caller can act on, `status` the service's own number.

    For scripts 4 means that something can be gone on with: a run, or whatever waits for a sign-in or a top-up. Before a
    run has begun anything else is a refusal, 3: `zenflow resume` would take up some other run.
    """

    exit_status = 3

    def __init__(
        self,
        trouble: ServiceTrouble,
        message: str,
        *,
        status: int | None = None,
        payload: Mapping[str, Any] | None = None,
        violations: Sequence[str] = (),
        retry_after_s: float | None = None,
        facts: WireFacts | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(_CODES[trouble], message, hint)
        self.trouble: ServiceTrouble = trouble
        self.status = status
        self.payload = payload or {}
        self.violations = tuple(violations)
        self.retry_after_s = retry_after_s
        self.wire = facts
        if trouble in ("sign_in", "out_of_credits"):
            self.exit_status = 4

    def of_run(self, run_id: str, server: str = "") -> None:
        if "run_id" in self.facts:
            return
        super().of_run(run_id, server)
        self.exit_status = 4
        then, before = f"`zenflow resume {run_id}` goes on.", (self.hint or "").replace(_STOPPED_GOES_ON, "")
        self.hint = f"{before.rstrip('.')}. {then}" if before else then

    @property
    def may_be_repeated(self) -> bool:
        """A free question may be asked again after these; after the others the answer would be the same."""
        return self.trouble in ("unreachable", "rate_limited", "server")


_CODES: Mapping[str, str] = {
    "unreachable": "ZF701",
    "not_mcp": "ZF702",
    "sign_in": "ZF703",
    "rate_limited": "ZF704",
    "out_of_credits": "ZF705",
    "forbidden": "ZF706",
    "not_found": "ZF707",
    "invalid": "ZF708",
    "absent": "ZF709",
    "server": "ZF710",
}


@dataclass(frozen=True, slots=True)
class Submission:
    """One `create_task`. `comment` begins with the stamp (docs/money.md)."""

    tool: str
    inputs: tuple[Mapping[str, Any], ...]
    comment: str
    send_by_s: float | None = None  # monotonic: past it nothing is written to the wire (the answer is "not_connected")
    sign_in: int | None = None  # nothing is written with another one than this (`Provider.sign_in`), likewise


@dataclass(frozen=True, slots=True)
class SubmitAnswer:
    """What came of one POST, without judgement.

    `task_id` is set whenever an id could be read, whatever else is wrong. `tool_status` is the number inside a tool
    result that says no (402, 422, …), None when it names none. `refused_by_protocol`: the protocol's own “no such
    tool / invalid arguments” over HTTP 200. `blames_server`: a tool result that says no because of a time-out, of trouble
    behind the service, or of its own output: the request may have taken effect, or may yet.
    """

    facts: WireFacts
    task_id: str | None = None
    task_status: str | None = None
    total: int | None = None
    is_tool_error: bool = False
    tool_status: int | None = None
    refused_by_protocol: bool = False
    blames_server: bool = False
    message: str = ""
    violations: tuple[str, ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)
    token_renewed: bool = False  # it was a 401, and there is another token now: sending again is worth a try


# created | processing | partial | completed | failed (docs/service.md, “Generation”); anything else counts as processing
TaskStatus = str
CallStatus = str


@dataclass(frozen=True, slots=True)
class Call:
    call_id: str
    status: CallStatus
    error: str | None = None

    @property
    def is_finished(self) -> bool:
        return self.status in ("completed", "failed")


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """A row of `list_tasks`."""

    task_id: str
    tool: str
    status: TaskStatus
    total: int | None
    done: int | None
    comment: str
    created_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        """No call of it can still change. `partial` is not trusted to be final (docs/service.md, “Not known”)."""
        return self.status in ("completed", "failed")


@dataclass(frozen=True, slots=True)
class Task(TaskSummary):
    """`get_task`. `inputs` echoes the submitted inputs in order (docs/service.md, “Recorded answers”)."""

    inputs: tuple[Mapping[str, Any], ...] = ()
    calls: tuple[Call, ...] = ()
    owner_id: str | None = None


@dataclass(frozen=True, slots=True)
class CallResult:
    """`get_call_result`: `output` verbatim, the asset ids as the service extracted them."""

    call_id: str
    output: Any
    asset_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A row of the credit ledger; `amount` is negative for a debit. Key names vary: read liberally."""

    transaction_id: str
    amount: Decimal | None
    task_id: str | None
    created_at: datetime | None
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UploadedAsset:
    asset_id: str
    media_type: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class AssetInfo:
    asset_id: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Description:
    asset_id: str
    description: str
    media_type: str | None


@dataclass(frozen=True, slots=True)
class CraftedPrompts:
    prompts: tuple[Mapping[str, Any], ...]  # each `prompt`, perhaps `rationale`


@dataclass(frozen=True, slots=True)
class AssetUrl:
    """One element of a batch of URLs: either an address with its media type, or an error."""

    asset_id: str
    url: str | None
    media_type: str | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """A body being read. `total_bytes` is the announced length where there is one (of the whole, not of the rest)."""

    chunks: AsyncIterator[bytes]
    media_type: str | None
    total_bytes: int | None
    starts_at: int = 0  # > 0 when the server honoured a range request


@dataclass(frozen=True, slots=True)
class ServiceTemplate:
    """A preset: a tool with a ready input. `params` None: only its summary was asked for. `row` is verbatim."""

    template_id: str
    title: str
    tool: str
    description: str = ""
    tags: tuple[str, ...] = ()
    adult: bool = False
    params: Mapping[str, Any] | None = None
    wants: tuple[str, ...] = ()  # asset fields that the user fills in, where the service says so
    row: Mapping[str, Any] = field(default_factory=dict)


class ReadOnlyProvider(Protocol):
    """All that planning may ask of a service. Everything here is free, and nothing here makes anything (promise 2)."""

    server: str

    async def account(self) -> Account: ...

    async def catalog(self, tools: Iterable[str] | None = None) -> Catalog:
        """The list of tools, and full schemas for `tools` (None: for all). Unknown names are left out."""
        ...

    async def quote(self, price_request: PriceRequest) -> Quote:
        """`estimate_price`; refusals (400, 403, 404, 422) are answers with `credits=None`."""
        ...

    async def compare(self, tool: str, params: Mapping[str, Any], resolutions: Sequence[str] = ()) -> Mapping[str, Any]:
        """`compare_prices`, verbatim structured content."""
        ...

    async def download_urls(self, asset_ids: Sequence[str]) -> Sequence[AssetUrl]:
        """Up to 50. One answer per id, in the same order; one asset's failure is its own."""
        ...

    async def asset(self, asset_id: str) -> AssetInfo: ...


class Provider(ReadOnlyProvider, Protocol):
    """One service, one account. Open with `async with`; every method may be called in parallel with every other."""

    @property
    def sign_in(self) -> int | None:
        """Which token requests are made with: another number after each new one, which may be another account's. None
        where there is only one."""
        ...

    async def model_guide(self, model: str) -> str | None: ...

    async def upload_file(self, path: Path, media_type: str | None) -> UploadedAsset: ...

    async def upload_url(self, url: str, media_type: str | None) -> UploadedAsset:
        """`source_url`: an http(s) or `data:` address; the service fetches the bytes."""
        ...

    async def describe(self, asset_id: str, force_refresh: bool) -> Description: ...

    async def craft_prompt(self, arguments: Mapping[str, Any]) -> CraftedPrompts: ...

    async def submit(self, submission: Submission) -> SubmitAnswer:
        """The one paid request: at most one POST, on a connection of its own, never repeated, never cancelled."""
        ...

    async def list_tasks(
        self,
        *,
        query: str | None = None,
        tool: str | None = None,
        status: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[tuple[TaskSummary, ...], int | None]:
        """One page, newest first, and the offset of the next page (None at the end)."""
        ...

    async def get_task(self, task_id: str) -> Task: ...

    async def processing_tools(self) -> Mapping[str, bool]:
        """`get_processing_tasks`: per tool whether anything is in flight."""
        ...

    async def wait_for_task(self, task_id: str, wait_s: int) -> None:
        """A blocking look at one quick task; may be refused (`absent`, `server`, `rate_limited`): then poll."""
        ...

    async def call_result(self, call_id: str) -> CallResult: ...

    async def preview_urls(self, asset_ids: Sequence[str]) -> Sequence[AssetUrl]: ...

    def download(self, url: str, start: int = 0) -> AbstractAsyncContextManager[Download]:
        """Stream a signed URL, without the token. Raises ServiceError(`not_found`, `forbidden`, `unreachable`, …)."""
        ...

    async def transactions(self, *, limit: int = 100, offset: int = 0) -> tuple[tuple[Transaction, ...], int | None]:
        """One page of the ledger, newest first, and the offset of the next page."""
        ...

    async def delete_task(self, task_id: str) -> None: ...


class TemplateCatalog(Protocol):
    """A provider that has presets too. Looking costs nothing, and nothing here can submit."""

    async def templates(
        self,
        *,
        query: str | None = None,
        tool: str | None = None,
        tags: Sequence[str] = (),
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[tuple[ServiceTemplate, ...], int | None]:
        """One page of summaries, and the offset of the next page (None at the end)."""
        ...

    async def template(self, template_id: str) -> ServiceTemplate:
        """One with its input."""
        ...


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """How a server is spoken to. `clock_difference_s`: its clock less ours; None where it does not tell."""

    protocol: str
    clock_difference_s: float | None


class Service(Provider, TemplateCatalog, Protocol):
    """All of a service: what the engine needs, and what only commands ask for."""

    async def about(self) -> ServerFacts:
        """Connects when that was not done yet. Raises ServiceError."""
        ...
