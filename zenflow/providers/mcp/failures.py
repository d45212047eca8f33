"""The one table that reads the service's no. Decides what an answer means, never what to do about it.

Where a no can stand: in a tool result (`isError`, or an `error_code` inside a “success”), with its number in structured
content or in the text; in a JSON-RPC error; in an HTTP status; on the wire. Two strengths of reading: for free
questions words are enough (“rate limit”); for the paid one a number or one of the documented sentences must say it, and
two different numbers say nothing. Unclear stays unclear (`status` None). Sources: seed 000; seeds 001, 002 (errors).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zenflow.providers.base import ServiceError, ServiceTrouble, WireFacts
from zenflow.providers.mcp.answers import ToolAnswer, first, text_at, truth_at
from zenflow.providers.mcp.violations import violations_in
from zenflow.providers.mcp.wire import Exchange

METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
HEADER_MISMATCH = -32020

_TROUBLES: Mapping[int, ServiceTrouble] = {
    400: "invalid",
    401: "sign_in",
    402: "out_of_credits",
    403: "forbidden",
    404: "not_found",
    409: "invalid",
    410: "not_found",
    413: "invalid",
    415: "invalid",
    422: "invalid",
    429: "rate_limited",
}

_STATUS_KEYS = ("status_code", "http_status", "statusCode", "httpStatus", "error_code", "code", "status")

_STATUS_WORDS: Mapping[str, int] = {
    "bad_request": 400,
    "unauthorized": 401,
    "unauthenticated": 401,
    "invalid_token": 401,
    "insufficient_credits": 402,  # seed 000
    "out_of_credits": 402,
    "payment_required": 402,
    "forbidden": 403,
    "access_denied": 403,
    "permission_denied": 403,
    "nsfw_not_allowed": 403,
    "nsfw_disabled": 403,
    "adult_content_disabled": 403,
    "not_trusted": 403,
    "trusted_required": 403,
    "model_blocked": 403,
    "not_found": 404,
    "validation_error": 422,
    "unprocessable_entity": 422,
    "rate_limited": 429,
    "rate_limit": 429,
    "rate_limit_exceeded": 429,
    "too_many_requests": 429,
}

_NUMBER_IN_TEXT = re.compile(
    r"(?:\bHTTP(?:\s+(?:status|error|code))*[\s:/]*|\bstatus(?:[\s_]+code)?[\s:=]*|\berror[\s:]+|[(\[])([45]\d\d)\b",
    re.I,
)
_NUMBER_FIRST = re.compile(r"^\W*(?:error\W+)?([45]\d\d)\b(?=\s*[:\-–—]|\s+[A-Z])", re.I)

# The sentences of seeds 000, 001 and 002: strong enough for the paid request.
_DOCUMENTED: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"\bout of (?:zencreator )?credits\b|\binsufficient credits\b", re.I), 402),
    (re.compile(r"\badult content is (?:disabled|not enabled)\b", re.I), 403),
    (re.compile(r"\bvalidation (?:error|failed)\b", re.I), 422),
    (re.compile(r"\brate limit (?:was )?exceeded\b|\brate[- ]limited\b", re.I), 429),
)

# Words that are enough for a free question, which may be asked again.
_WORDS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"\bre-?authori[sz]e\b|\bunauthori[sz]ed\b|\binvalid token\b|\bre-?authenticate\b", re.I), 401),
    (re.compile(r"\bnot enough credits\b|\bpayment required\b|\btop up\b", re.I), 402),
    (re.compile(r"\brate limit|\btoo many requests\b|\bback off\b", re.I), 429),
    (re.compile(r"\btrusted\b|\bnsfw\b|\badult content\b|\bforbidden\b|\bnot allowed\b|\bis blocked\b", re.I), 403),
    (re.compile(r"\bnot (?:found|recogni[sz]ed|owned)\b|\bno such\b|\bdoes not exist\b", re.I), 404),
    (
        re.compile(
            r"\binvalid\b|\brequired\b|\bmust be\b|\bunknown\b|\bundeclared\b|\bnot permitted\b|\bpass exactly one\b"
            r"|\bmalformed\b|\bunsupported\b|\bcould not determine\b|\bdecoded to zero\b|\bcap\b|\bbad request\b",
            re.I,
        ),
        400,
    ),
)
_SERVER_WORDS = re.compile(
    r"\btimed? ?-?out\b|\binternal (?:server )?error\b|\bupstream\b|\bunavailable\b|\btry again\b", re.I
)

_NO_SUCH_TOOL = re.compile(
    r"^\W*(?:MCP error -3260[12]\b.*\bnot found|unknown tool:? *['\"`]?zencreator_|tool ['\"`]?zencreator_\w+['\"`]? "
    r"(?:not found|does not exist)|no such tool)", re.I | re.S
)  # fmt: skip
_PROTOCOL_SAYS = re.compile(r"^\W*MCP error (-3260[12])\b", re.I)
_HELPER_ABSENT = re.compile(r"\bPROMPT_AGENT_API_KEY\b|\bsidecar\b|\bis (?:disabled|not configured)\b", re.I)
_RETRY_IN_TEXT = re.compile(r"\b(?:retry|try again|wait)\b[^.\d]{0,24}(\d+(?:\.\d+)?)\s*(?:s\b|sec)", re.I)


@dataclass(frozen=True, slots=True)
class No:
    """A no as read. `status` None: it names none and means nothing certain."""

    status: int | None
    message: str
    payload: Mapping[str, Any]
    violations: tuple[str, ...] = ()
    retry_after_s: float | None = None
    trouble: ServiceTrouble = "server"
    by_protocol: bool = False  # the protocol's own “no such tool / invalid arguments”, in the form of a tool result


def no_in(answer: ToolAnswer, *, strictly: bool = False) -> No | None:
    """The no of a tool result, or None when it says yes. `strictly` for the paid request: words alone say nothing."""
    if not answer.is_error and not _is_hidden_error(answer.structured):
        return None
    payload, text = answer.structured, answer.text
    message = _message(payload, text)
    by_protocol = bool(_PROTOCOL_SAYS.search(text) or _NO_SUCH_TOOL.search(text))
    status = status_in(payload, text, strictly=strictly)
    return No(
        status=status,
        message=message,
        payload=payload,
        violations=violations_in(payload, text),
        retry_after_s=_retry_after(payload, text),
        trouble=_trouble(status, message, text),
        by_protocol=by_protocol,
    )


def status_in(payload: Mapping[str, Any], text: str, *, strictly: bool) -> int | None:
    """The number of a no: structured, else in the text, else (documented) words. Contradictions say nothing."""
    structured = _structured_status(payload)
    if structured is not None:
        return structured
    prose = _message(payload, text) if payload else text
    numbers = {int(n) for n in _NUMBER_IN_TEXT.findall(prose)} | {int(n) for n in _NUMBER_FIRST.findall(prose)}
    if len(numbers) == 1:
        return numbers.pop()
    if numbers:
        return None
    if strictly and _SERVER_WORDS.search(prose):
        return None
    table = _DOCUMENTED if strictly else _DOCUMENTED + _WORDS
    said = [status for pattern, status in table if pattern.search(prose)]
    if strictly:
        return said[0] if len(set(said)) == 1 else None
    if said and not (_SERVER_WORDS.search(prose) and said[0] in (400, 404)):
        return said[0]
    return None


def error_of(no: No, what: str, facts: WireFacts | None = None) -> ServiceError:
    """The exception for a free question."""
    return ServiceError(
        no.trouble,
        f"{what}: {no.message}",
        status=no.status,
        payload=no.payload,
        violations=no.violations,
        retry_after_s=no.retry_after_s if no.retry_after_s is not None else (facts.retry_after_s if facts else None),
        facts=facts,
        hint=HINTS.get(no.trouble),
    )


def trouble_of_status(status: int) -> ServiceTrouble:
    if status >= 500 or status == 408:
        return "server"
    return _TROUBLES.get(status, "invalid" if 400 <= status < 500 else "server")


def exchange_error(exchange: Exchange, what: str) -> ServiceError:
    """The exception for an exchange that brought no result: a JSON-RPC error, a status, or a break."""
    facts = exchange.facts
    error = exchange.message.get("error") if exchange.message is not None else None
    if isinstance(error, Mapping) and facts.status not in (401, 402, 429):
        return _rpc_error(error, what, facts)
    if facts.reached != "answered" or facts.status is None:
        return ServiceError(
            "unreachable", f"{what}: {facts.detail or 'the connection broke'}", facts=facts, hint=HINTS["unreachable"]
        )
    if exchange.ok or 300 <= facts.status < 400:
        return ServiceError(
            "server",
            f"{what}: HTTP {facts.status} with an answer that cannot be read",
            status=facts.status,
            facts=facts,
        )
    trouble = trouble_of_status(facts.status)
    return ServiceError(
        trouble,
        f"{what}: HTTP {facts.status}{excerpt(exchange.body)}",
        status=facts.status,
        retry_after_s=facts.retry_after_s,
        facts=facts,
        hint=HINTS.get(trouble),
    )


def _rpc_error(error: Mapping[str, Any], what: str, facts: WireFacts) -> ServiceError:
    code, message = error.get("code"), str(error.get("message", ""))
    data = error.get("data")
    payload = data if isinstance(data, Mapping) else {}
    trouble: ServiceTrouble
    if code == METHOD_NOT_FOUND or (
        code == INVALID_PARAMS and re.search(r"\btool\b", message, re.I) and _unknown(message)
    ):
        trouble = "absent"
    elif code == INVALID_PARAMS:
        trouble = "invalid"
    else:
        status = status_in(payload, message, strictly=False)
        trouble = trouble_of_status(status) if status is not None and status != 404 else "server"
    return ServiceError(
        trouble,
        f"{what}: {message or 'an error'} ({code})",
        status=facts.status if facts.status and facts.status >= 400 else None,
        payload=payload,
        violations=violations_in(payload, message),
        retry_after_s=facts.retry_after_s,
        facts=facts,
        hint=HINTS.get(trouble),
    )


HINTS: Mapping[str, str] = {
    "unreachable": "check the network and the server's address, then try again: nothing was spent by this request",
    "sign_in": "set ZENFLOW_TOKEN to a valid token for this server",
    "rate_limited": "wait a few seconds and try again (seed 000: at least 2 s between looks)",
    "out_of_credits": "top up at https://app.zencreator.pro/billing, then resume",
    "forbidden": "compare the account's gates with what the tool or model asks for: zenflow account",
    "absent": "this server does not offer that tool: zenflow tools",
}


def _unknown(message: str) -> bool:
    return re.search(r"\bunknown\b|\bnot found\b|\bno such\b|\bdoes not exist\b", message, re.I) is not None


def _is_hidden_error(payload: Mapping[str, Any]) -> bool:
    """A success that is an error. (`get_me` says `out_of_credits` and call rows say `error` in good answers.)"""
    if text_at(payload, "error_code"):
        return True
    if payload.get("success") is False or payload.get("ok") is False:
        return True
    error = payload.get("error")
    return bool(error) and set(payload) <= _ERROR_KEYS


def _structured_status(payload: Mapping[str, Any]) -> int | None:
    found: set[int] = set()
    for holder in (payload, payload.get("error"), payload.get("detail")):
        if isinstance(holder, Mapping):
            found |= {s for s in (_as_status(holder.get(key)) for key in _STATUS_KEYS) if s is not None}
    for name in ("error", "detail"):
        status = _as_status(payload.get(name))
        if status is not None:
            found.add(status)
    if not found and truth_at(payload, "out_of_credits"):
        found.add(402)
    return found.pop() if len(found) == 1 else None


_ERROR_KEYS = {"error", "message", "detail", "details", "code", "status", "status_code", "hint", "isError"}


def _as_status(value: Any) -> int | None:
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip().lower()
    if re.fullmatch(r"(?:http[_ ]?)?[45]\d\d", text):
        return int(text[-3:])
    return _STATUS_WORDS.get(text.replace(" ", "_").replace("-", "_"))


def _trouble(status: int | None, message: str, text: str) -> ServiceTrouble:
    prose = f"{message}\n{text}"
    if _NO_SUCH_TOOL.search(text) or (status in (None, 400, 503) and _HELPER_ABSENT.search(prose)):
        return "absent"
    if _PROTOCOL_SAYS.search(text):
        return "invalid"
    return trouble_of_status(status) if status is not None else "server"


def _message(payload: Mapping[str, Any], text: str) -> str:
    said = first(payload, "message", "error.message", "detail.message", "error_message", "error", "detail", "reason")
    if isinstance(said, str) and said.strip():
        return said.strip()
    return text.strip() or "the tool reported an error without words"


def _retry_after(payload: Mapping[str, Any], text: str) -> float | None:
    value = first(payload, "retry_after_s", "retry_after", "retry_after_seconds", "retryAfter", "error.retry_after")
    try:
        if value is not None and not isinstance(value, bool):
            return max(0.0, float(value))
    except (TypeError, ValueError):
        pass
    found = _RETRY_IN_TEXT.search(text)
    return float(found.group(1)) if found else None


def excerpt(body: bytes) -> str:
    """A short plain text from an answer, for people: no markup, one line."""
    text = body[:2000].decode("utf-8", "replace").strip()
    if not text or text.startswith("<"):
        return ""
    line = " ".join(text.split())
    return f": {line[:200]}{'…' if len(line) > 200 else ''}"
