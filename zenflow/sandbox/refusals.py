"""How the service says no: a tool result with `isError`, never a crash (troubleshooting page).

The text names the HTTP status as the service's pages do. The 402 payload is verbatim from the troubleshooting page;
the structured part of every other refusal is chosen by us (`error_code`, `http_status`, `message` and facts).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PURCHASE_URL = "https://app.zencreator.pro/billing"

_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "Bad request"),
    401: ("unauthorized", "Authentication failed"),
    402: ("insufficient_credits", "Out of credits"),
    403: ("forbidden", "Forbidden"),
    404: ("not_found", "Not found"),
    409: ("conflict", "Conflict"),
    422: ("validation_error", "Validation error"),
    429: ("rate_limited", "Rate limited"),
    500: ("backend_error", "Backend error"),
    502: ("backend_error", "Bad gateway"),
    503: ("unavailable", "Service unavailable"),
    504: ("timeout", "Gateway timeout"),
}


class Refusal(Exception):
    """A tool's no: what the client reads, and what a program reads."""

    def __init__(self, status: int, message: str, **facts: Any) -> None:
        super().__init__(message)
        code, title = _WORDS.get(status, ("error", "Error"))
        self.status = status
        self.text = f"{title} (HTTP {status}): {message}"
        self.structured: dict[str, Any] = {"error_code": code, "http_status": status, "message": message, **facts}


class OutOfCredits(Refusal):
    """402 with exactly the documented payload."""

    def __init__(self) -> None:
        message = f"You're out of ZenCreator credits. Top up at {PURCHASE_URL} to keep generating."
        super().__init__(402, message)
        self.text = message
        self.structured = {
            "error_code": "insufficient_credits",
            "out_of_credits": True,
            "purchase_url": PURCHASE_URL,
            "message": message,
        }


def invalid(violations: list[tuple[str, str]], subject: str) -> Refusal:
    """422 that names each place: `inputs[3].ratio: …`."""
    lines = "; ".join(f"{path}: {message}" if path else message for path, message in violations)
    listed = [{"path": path, "message": message} for path, message in violations]
    return Refusal(422, f"{subject} — {lines}", violations=listed)
