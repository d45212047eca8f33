"""The one table that reads the service's no. Decides what an answer means, never what to do about it.

Where a no can stand: in a tool result (`isError`, or an `error_code` inside a “success”), with its number in structured
content or in the text; in a JSON-RPC error; in an HTTP status; on the wire. Two strengths of reading: for free
questions words are enough (“rate limit”); for the paid one a number or one of the documented sentences must say it, and
two different numbers say nothing. Unclear stays unclear (`status` None). Sources: docs/service.md,
“Troubleshooting”, “Assets” and “Generation” (errors).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zenflow.providers.base import SIGN_IN_AGAIN, ServiceError, ServiceTrouble, WireFacts
from zenflow.providers.mcp.session.answers import ToolAnswer, first, text_at
from zenflow.providers.mcp.session.status_codes import message_of, speaks_of_output, status_in, trouble_of_status
from zenflow.providers.mcp.session.violations import violations_in
from zenflow.providers.mcp.wire.exchange import Exchange

METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
HEADER_MISMATCH = -32020

_READ_OF_A_NO = 20_000  # characters: what explains a refusal begins it, and patterns are tried on all of this

_ERROR_KEYS = {"error", "message", "detail", "details", "code", "status", "status_code", "hint", "isError"}

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
    payload, text = answer.structured, answer.text[:_READ_OF_A_NO]
    message = message_of(payload, text)
    by_protocol = bool(_PROTOCOL_SAYS.search(text) or _NO_SUCH_TOOL.search(text)) and not speaks_of_output(text)
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
            retry_after_s=facts.retry_after_s,
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
    code, message = error.get("code"), str(error.get("message", ""))[:_READ_OF_A_NO]
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
    "sign_in": SIGN_IN_AGAIN,
    "rate_limited": "wait a few seconds and try again",
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


def _trouble(status: int | None, message: str, text: str) -> ServiceTrouble:
    prose = f"{message}\n{text}"
    if _NO_SUCH_TOOL.search(text) or (status in (None, 400, 503) and _HELPER_ABSENT.search(prose)):
        return "absent"
    if _PROTOCOL_SAYS.search(text):
        return "invalid"
    return trouble_of_status(status) if status is not None else "server"


def _retry_after(payload: Mapping[str, Any], text: str) -> float | None:
    value = first(payload, "retry_after_s", "retry_after", "retry_after_seconds", "retryAfter", "error.retry_after")
    try:
        if value is not None and not isinstance(value, bool):
            return max(0.0, float(value))
    except (TypeError, ValueError, OverflowError):
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
