"""The number of a no: in structured content, in a text, in words; and the trouble that a number means.

Decides which words mean which number, and how sure one must be. Sources: docs/service.md, “Troubleshooting”,
“Assets” and “Generation” (errors).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from zenflow.providers.base import ServiceTrouble
from zenflow.providers.mcp.session.answers import first, truth_at

MOST_OF_A_MESSAGE = 5_000

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
    "insufficient_credits": 402,  # docs/service.md, “Troubleshooting”
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
    r"(?:\bHTTP(?:\s+(?:status|error|code))*[\s:/]*|\bstatus(?:[\s_]+code)?[\s:=]*|\berror[\s:]+)([45]\d\d)\b"
    r"|[(\[]([45]\d\d)[)\]]",
    re.I,
)
_NUMBER_FIRST = re.compile(r"^\W*(?:error\W+)?([45]\d\d)\b(?=\s*[:\-–—]|\s+[A-Z])", re.I)

# The sentences of docs/service.md, “Troubleshooting”, “Assets” and “Generation”, where they begin the text: strong
# enough for the paid request.
_DOCUMENTED: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"\bout of zencreator credits\b|^\W*(?:out of|insufficient) credits\b", re.I), 402),
    (re.compile(r"^\W*adult content is (?:disabled|not enabled)\b", re.I), 403),
    (re.compile(r"^\W*validation (?:error|failed)\b(?! for \w)", re.I), 422),
    (re.compile(r"^\W*re-?authori[sz]e with the zencreator mcp server\b", re.I), 401),
    (re.compile(r"^\W*access denied\b", re.I), 403),
    (re.compile(r"^\W*bad request\b", re.I), 400),
    (re.compile(r"^\W*(?:the )?rate limit (?:was )?exceeded\b|^\W*rate[- ]limited\b", re.I), 429),
)

# Both SDKs check a tool's answer against its output schema after it has run, and word that like a refusal (-32602,
# “validation error for SomeModel”): the charge is made by then.
_OF_OUTPUT = re.compile(
    r"\boutput validation\b|\boutput ?schema\b|\bstructured ?content\b|\bvalidation errors? for \w", re.I
)

# Words that are enough for a free question, which may be asked again.
_WORDS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"\bre-?authori[sz]e\b|\bunauthori[sz]ed\b|\binvalid token\b|\bre-?authenticate\b", re.I), 401),
    (
        re.compile(
            r"\b(?:out of|insufficient|not enough)(?: zencreator)? credits\b|\bpayment required\b|\btop up\b", re.I
        ),
        402,
    ),
    (re.compile(r"\brate[- ]limit|\btoo many requests\b|\bback off\b", re.I), 429),
    (re.compile(r"\btrusted\b|\bnsfw\b|\badult content\b|\bforbidden\b|\bnot allowed\b|\bis blocked\b", re.I), 403),
    (re.compile(r"\bvalidation (?:error|failed)\b", re.I), 422),
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


def status_in(payload: Mapping[str, Any], text: str, *, strictly: bool) -> int | None:
    """The number of a no: structured, else in the text, else (documented) words. Contradictions say nothing."""
    structured = _structured_status(payload)
    if structured is not None:
        return structured
    prose = message_of(payload, text) if payload else text
    if strictly and speaks_of_output(prose):
        return None
    numbers = {int(a or b) for a, b in _NUMBER_IN_TEXT.findall(prose)} | {int(n) for n in _NUMBER_FIRST.findall(prose)}
    if len(numbers) == 1:
        return numbers.pop()
    if numbers:
        return None
    if strictly and _SERVER_WORDS.search(prose):
        return None
    table = _DOCUMENTED if strictly else _WORDS
    said = [status for pattern, status in table if pattern.search(prose)]
    if strictly:
        return said[0] if len(set(said)) == 1 else None
    if said and not (_SERVER_WORDS.search(prose) and said[0] in (400, 404)):
        return said[0]
    return None


def trouble_of_status(status: int) -> ServiceTrouble:
    if status >= 500 or status == 408:
        return "server"
    return _TROUBLES.get(status, "invalid" if 400 <= status < 500 else "server")


def message_of(payload: Mapping[str, Any], text: str) -> str:
    said = first(payload, "message", "error.message", "detail.message", "error_message", "error", "detail", "reason")
    if isinstance(said, str) and said.strip():
        return said.strip()[:MOST_OF_A_MESSAGE]
    return text.strip()[:MOST_OF_A_MESSAGE] or "the tool reported an error without words"


def speaks_of_output(text: str) -> bool:
    """Whether a no is about the tool's answer, not about what it was asked."""
    return _OF_OUTPUT.search(text) is not None


def blames_server(text: str) -> bool:
    """Whether a no speaks of a time-out, of trouble behind the service, or of the tool's own output."""
    return _SERVER_WORDS.search(text) is not None or speaks_of_output(text)


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


def _as_status(value: Any) -> int | None:
    if isinstance(value, bool) or value is None:
        return None
    if not isinstance(value, str | int):
        return None
    text = str(value).strip().lower()[:40] if isinstance(value, str) or 400 <= value <= 599 else ""
    if re.fullmatch(r"(?:http[_ ]?)?[45]\d\d", text):
        return int(text[-3:])
    return _STATUS_WORDS.get(text.replace(" ", "_").replace("-", "_"))
