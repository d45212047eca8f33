"""Signed URLs: they name an asset and a moment, and nobody without the secret can make one."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Literal

Rendition = Literal["original", "preview"]


class SignedUrls:
    """Makes and checks `/files/{asset_id}/{rendition}?expires=…&signature=…`."""

    def __init__(self, base_url: str, secret: bytes, lifetime_s: float, now_s: Callable[[], float]) -> None:
        self._base_url = base_url.rstrip("/")
        self._secret = secret
        self._lifetime_s = lifetime_s
        self._now_s = now_s

    def sign(self, asset_id: str, rendition: Rendition) -> str:
        expires = f"{self._now_s() + self._lifetime_s:.3f}"
        signature = self._signature(asset_id, rendition, expires)
        return f"{self._base_url}/files/{asset_id}/{rendition}?expires={expires}&signature={signature}"

    def is_signed(self, asset_id: str, rendition: str, expires: str, signature: str) -> bool:
        return hmac.compare_digest(self._signature(asset_id, rendition, expires).encode(), signature.encode())

    def has_expired(self, expires: str) -> bool:
        """Of a URL whose signature is good, so that the text is a number of ours."""
        return self._now_s() > float(expires)

    def _signature(self, asset_id: str, rendition: str, expires: str) -> str:
        return hmac.new(self._secret, f"{asset_id}/{rendition}/{expires}".encode(), hashlib.sha256).hexdigest()
