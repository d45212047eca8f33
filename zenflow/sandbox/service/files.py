"""The storage behind signed URLs: originals and previews, with ranges, and with the mishaps that downloads have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from zenflow.sandbox.assets import Asset
from zenflow.sandbox.faults import Faults, Rule, TriggeredFaults
from zenflow.sandbox.refusals import Refusal
from zenflow.sandbox.service.assets import PREVIEW_TYPE
from zenflow.sandbox.service.dropped_connections import OUTERMOST_SEND, cut_connection
from zenflow.sandbox.service.request_context import Services

_CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    media_type: str
    tag: str


class Files:
    """ASGI endpoint of `/files/{asset_id}/{rendition}`."""

    def __init__(self, services: Services, faults: Faults) -> None:
        self._services = services
        self._faults = faults
        self.arrived: Counter[str] = Counter()  # requests, and how many of them asked for a range

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.arrived["files"] += 1
        self.arrived["files_ranged"] += "range" in request.headers
        triggered = self._faults.draw("files", {})
        refusal = self._refusal(request, triggered)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        try:
            file = await self._file(request.path_params["asset_id"], request.path_params["rendition"])
        except Refusal as missing:
            await PlainTextResponse(missing.text, 404)(scope, receive, send)
            return
        file = _spoiled(file, triggered, self.arrived["files"])
        response = _answer(file, request, triggered.first("download_slow"), self._services)
        if triggered.first("download_truncated"):
            await _half(response, file, request, receive, send)
            return
        await response(scope, receive, send)

    def _refusal(self, request: Request, triggered: TriggeredFaults) -> Response | None:
        if triggered.first("download_404"):
            return PlainTextResponse("Not found", 404)
        query, path = request.query_params, request.path_params
        expires, signature = query.get("expires", ""), query.get("signature", "")
        if not self._services.urls.is_signed(path["asset_id"], path["rendition"], expires, signature):
            return PlainTextResponse("Signature does not match", 403)
        if triggered.first("download_expired") or self._services.urls.has_expired(expires):
            return PlainTextResponse("Request has expired", 403)  # as object stores answer; chosen by us
        return None

    async def _file(self, asset_id: str, rendition: str) -> _File:
        asset: Asset = self._services.world.asset(asset_id)
        if rendition == "preview":
            return _File(await self._services.renderer.preview(asset), PREVIEW_TYPE, f"{asset.fingerprint}-preview")
        return _File(await self._services.renderer.original(asset), asset.media_type, asset.fingerprint)


def _spoiled(file: _File, triggered: TriggeredFaults, number: int) -> _File:
    """Damage on the way differs from request to request: what is the same every time is all that there is."""
    if triggered.first("download_corrupt"):
        middle = len(file.body) // 2
        rest = bytes([number % 256]) * (len(file.body) - middle)
        return _File(bytes(16) + file.body[16:middle] + rest, file.media_type, file.tag)
    if triggered.first("download_wrong_type"):
        return _File(b"<html><body>Please wait</body></html>", "text/html", file.tag)
    return file


def _answer(file: _File, request: Request, slow: Rule | None, services: Services) -> Response:
    headers = {"accept-ranges": "bytes", "etag": f'"{file.tag}"', "cache-control": "private, no-store"}
    body, status = file.body, 200
    span = _span(request.headers.get("range"), len(body))
    if span is not None and request.headers.get("if-range", headers["etag"]) == headers["etag"]:
        start, end = span
        if start >= len(body):
            return Response(status_code=416, headers={"content-range": f"bytes */{len(body)}"})
        headers["content-range"] = f"bytes {start}-{end - 1}/{len(body)}"
        body, status = body[start:end], 206
    headers["content-length"] = str(len(body))
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=file.media_type)

    async def chunks() -> AsyncIterator[bytes]:
        pieces = range(0, len(body), _CHUNK)
        for at in pieces:
            if slow is not None:
                await services.clock.sleep(slow.seconds / len(pieces))
            yield body[at : at + _CHUNK]

    return StreamingResponse(chunks(), status, headers, file.media_type)


def _span(header: str | None, length: int) -> tuple[int, int] | None:
    """Start and end of a single range; anything else is answered whole, as the standard allows."""
    found = _RANGE.match(header.strip()) if header else None
    if found is None or found.group(0) == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        return max(0, length - int(last)), length
    return int(first), min(length, int(last) + 1 if last else length)


async def _half(response: Response, file: _File, request: Request, receive: Receive, send: Send) -> None:
    """The headers of what was asked for, half of its bytes, then a cut."""
    start, end = _span(request.headers.get("range"), len(file.body)) or (0, len(file.body))
    body = file.body[start : start + max(0, end - start) // 2]
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await cut_connection(receive, request.scope.get(OUTERMOST_SEND, send), after_flush=True)
