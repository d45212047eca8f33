"""An authorization server in small: clients that register themselves, codes, tokens bound to an audience.

OAuth 2.1 as MCP asks for it (PKCE with S256, `resource`, rotating refresh tokens). Whoever comes is approved: it is for
tests. Kept in the sandbox's store, tokens as digests only. Knows no HTTP: `service/oauth_pages` speaks it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from zenflow.sandbox.store import Store

SCOPE = "mcp"
_CODE_LIVES_S = 60.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS oauth_clients (id TEXT PRIMARY KEY, name TEXT, redirect_uris TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS oauth_codes (digest TEXT PRIMARY KEY, grant_id TEXT NOT NULL, client_id TEXT NOT NULL,"
    " redirect_uri TEXT NOT NULL, challenge TEXT NOT NULL, resource TEXT NOT NULL, expires_at REAL NOT NULL,"
    " used INTEGER NOT NULL DEFAULT 0)",
    # `replaced`: a refresh token that has a successor. It dies when that successor is first used, so that an answer
    # lost on its way does not end the grant (chosen by us; servers differ).
    "CREATE TABLE IF NOT EXISTS oauth_tokens (digest TEXT PRIMARY KEY, kind TEXT NOT NULL, grant_id TEXT NOT NULL,"
    " client_id TEXT NOT NULL, resource TEXT NOT NULL, expires_at REAL, parent TEXT)",
)


class OAuthRefusal(Exception):
    """An error of RFC 6749, 5.2: `error` and a sentence."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class Issued:
    access_token: str
    refresh_token: str
    expires_in_s: float


class Authorization:
    """Grants of one sandbox. `resource` is the only audience there is."""

    def __init__(self, store: Store, now_s: Callable[[], float], resource: str, lifetime_s: float) -> None:
        self._store = store
        self._now_s = now_s
        self.resource = resource
        self.lifetime_s = lifetime_s
        for statement in _SCHEMA:
            store.run(statement)

    # ------------------------------------------------------------------------------------------------------- clients

    def register(self, name: object, redirect_uris: object) -> str:
        """A public client's id (RFC 7591). Redirects go to this machine or to https."""
        uris = redirect_uris if isinstance(redirect_uris, list) else []
        if not uris or not all(isinstance(uri, str) and _may_be_redirected_to(uri) for uri in uris):
            raise OAuthRefusal("invalid_redirect_uri", "redirect_uris must be loopback or https addresses")
        client_id = f"client-{secrets.token_hex(8)}"
        with self._store.change():
            self._store.run(
                "INSERT INTO oauth_clients VALUES (?, ?, ?)", client_id, str(name or ""), json.dumps(list(uris))
            )
        return client_id

    # -------------------------------------------------------------------------------------------------------- codes

    def knows_redirect(self, client_id: str, redirect_uri: str) -> bool:
        """Exactly as registered, but for the port of a loopback address (RFC 8252, 7.3)."""
        row = self._store.row("SELECT redirect_uris FROM oauth_clients WHERE id = ?", client_id)
        known = json.loads(row["redirect_uris"]) if row is not None else []
        return any(_same_redirect(one, redirect_uri) for one in known)

    def approve(self, query: Mapping[str, str]) -> str:
        """A code for an authorization request whose client and redirect are known."""
        if query.get("response_type") != "code":
            raise OAuthRefusal("unsupported_response_type", "only response_type=code")
        if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
            raise OAuthRefusal("invalid_request", "PKCE with code_challenge_method=S256 is required")
        self._check_resource(query.get("resource"))
        code = secrets.token_urlsafe(24)
        with self._store.change():
            self._store.run(
                "INSERT INTO oauth_codes VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                _digest(code),
                secrets.token_hex(8),
                query.get("client_id", ""),
                query.get("redirect_uri", ""),
                query["code_challenge"],
                self.resource,
                self._now_s() + _CODE_LIVES_S,
            )
        return code

    # ------------------------------------------------------------------------------------------------------- tokens

    def token(self, form: Mapping[str, str]) -> Issued:
        """The answer of the token endpoint."""
        if form.get("grant_type") == "authorization_code":
            return self._exchange(form)
        if form.get("grant_type") == "refresh_token":
            return self._refresh(form)
        raise OAuthRefusal("unsupported_grant_type", "authorization_code and refresh_token are known")

    def _exchange(self, form: Mapping[str, str]) -> Issued:
        row = self._store.row("SELECT * FROM oauth_codes WHERE digest = ?", _digest(form.get("code", "")))
        if row is None or row["expires_at"] < self._now_s() or row["client_id"] != form.get("client_id"):
            raise OAuthRefusal("invalid_grant", "the code is not known, or has expired")
        if row["used"]:
            self._end_grant(row["grant_id"])  # a code that comes twice was stolen (OAuth 2.1, 4.1.3)
            raise OAuthRefusal("invalid_grant", "the code was used before")
        if row["redirect_uri"] != form.get("redirect_uri"):
            raise OAuthRefusal("invalid_grant", "redirect_uri is another one")
        if _challenge(form.get("code_verifier", "")) != row["challenge"]:
            raise OAuthRefusal("invalid_grant", "code_verifier does not match")
        self._check_resource(form.get("resource"))
        with self._store.change():
            self._store.run("UPDATE oauth_codes SET used = 1 WHERE digest = ?", row["digest"])
            return self._issue(row["grant_id"], row["client_id"], None)

    def _refresh(self, form: Mapping[str, str]) -> Issued:
        digest = _digest(form.get("refresh_token", ""))
        with self._store.change():
            row = self._store.row("SELECT * FROM oauth_tokens WHERE digest = ? AND kind = 'refresh'", digest)
            if row is None or row["client_id"] != form.get("client_id"):
                raise OAuthRefusal("invalid_grant", "the refresh token is not known, or was revoked")
            self._check_resource(form.get("resource"))
            self._forget_parent(row["parent"])
            return self._issue(row["grant_id"], row["client_id"], digest)

    def _issue(self, grant_id: str, client_id: str, parent: str | None) -> Issued:
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        rows = (
            (access, "access", self._now_s() + self.lifetime_s),
            (refresh, "refresh", None),
        )
        for token, kind, expires_at in rows:
            self._store.run(
                "INSERT INTO oauth_tokens VALUES (?, ?, ?, ?, ?, ?, ?)",
                _digest(token),
                kind,
                grant_id,
                client_id,
                self.resource,
                expires_at,
                parent,
            )
        return Issued(access, refresh, self.lifetime_s)

    def accepts(self, token: str) -> bool:
        """Whether a request with this access token may come in: known, fresh, made for this audience."""
        row = self._store.row("SELECT * FROM oauth_tokens WHERE digest = ? AND kind = 'access'", _digest(token))
        if row is None or row["expires_at"] < self._now_s() or row["resource"] != self.resource:
            return False
        self._forget_parent(row["parent"])
        return True

    def revoke(self, token: str) -> None:
        """The whole grant of either token; silent about unknown ones (RFC 7009)."""
        row = self._store.row("SELECT grant_id FROM oauth_tokens WHERE digest = ?", _digest(token))
        if row is not None:
            with self._store.change():
                self._end_grant(row["grant_id"])

    def revoke_all(self) -> None:
        """Every grant, as an account's owner can."""
        with self._store.change():
            self._store.run("DELETE FROM oauth_tokens")

    def _end_grant(self, grant_id: str) -> None:
        self._store.run("DELETE FROM oauth_tokens WHERE grant_id = ?", grant_id)

    def _forget_parent(self, parent: str | None) -> None:
        """The successor is in use: its predecessor is not accepted any more."""
        if parent is not None and self._store.row("SELECT 1 FROM oauth_tokens WHERE digest = ?", parent) is not None:
            self._store.run("DELETE FROM oauth_tokens WHERE digest = ? AND kind = 'refresh'", parent)

    def _check_resource(self, resource: str | None) -> None:
        if (resource or "").rstrip("/") != self.resource:
            raise OAuthRefusal("invalid_target", f"resource must be {self.resource} (RFC 8707)")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _may_be_redirected_to(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _same_redirect(known: str, given: str) -> bool:
    if known == given:
        return True
    try:
        one, two = urlsplit(known), urlsplit(given)
    except ValueError:
        return False
    same = (one.scheme, one.hostname, one.path, one.query) == (two.scheme, two.hostname, two.path, two.query)
    return same and one.hostname in _LOOPBACK
