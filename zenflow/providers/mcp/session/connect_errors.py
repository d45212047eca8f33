"""Why a server could not be spoken to, with the next step: the words for everything before the first answer.

Knows the shapes of failure (nothing there, no MCP there, a refused token, TLS, a wrong address) and no tools.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit, urlunsplit

from zenflow.errors import UsageError
from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.session.failures import HINTS, excerpt
from zenflow.providers.mcp.session.status_codes import trouble_of_status
from zenflow.providers.mcp.wire.exchange import Exchange


def checked_url(url: str) -> str:
    """The address in the form requests need. Raises `UsageError` (ZF711) for anything that is no http(s) address."""
    text = url.strip()
    parts = urlsplit(text)
    try:
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        port_ok = False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok or any(c.isspace() for c in text):
        guess = f"https://{text}" if "://" not in text and "." in text.partition("/")[0] else "https://mcp.zncr.pro/mcp"
        raise UsageError(
            "ZF711",
            f"not a server address: {_plain(text)!r}; expected http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH",
            f"for example --server {guess}",
        )
    if parts.username is not None:
        raise UsageError(
            "ZF711",
            f"the server address {_plain(text)} holds a user name; tokens go elsewhere",
            "leave the name out of the address and set ZENFLOW_TOKEN",
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, ""))


def moved_to(url: str, last: Exchange | None) -> str | None:
    """Where a server says its endpoint is: another path of the same origin (a final `/` above all), or its https.

    The rule of the official SDK. Any other redirect is told and not followed: the token is for this server.
    """
    if last is None or last.facts.status not in (301, 307, 308) or not last.headers.get("location"):
        return None
    try:
        following = urljoin(url, last.headers["location"])
        old, new = urlsplit(url), urlsplit(following)
        same_place = (old.scheme, host_and_port(url)) == (new.scheme, host_and_port(following))
        to_https = (old.scheme, old.port, new.scheme, new.port) == ("http", None, "https", None)
    except ValueError:
        return None
    if not (same_place or (to_https and old.hostname == new.hostname)) or new.username is not None:
        return None
    return urlunsplit((new.scheme, new.netloc, new.path or "/", new.query, "")) if following != url else None


def connect_error(url: str, last: Exchange, said: str) -> ServiceError:
    """The error for a connect that failed; `last` is the last exchange of the negotiation, `said` the server's words."""
    if last.facts.status is None:
        return _nothing_there(url, last)
    return _something_else(url, last, said)


def _nothing_there(url: str, last: Exchange) -> ServiceError:
    where, detail = host_and_port(url), last.facts.detail
    message, hint = {
        "refused": (
            f"nothing answers at {where}",
            f"check the address and that the server is running there; {_sandbox_hint(url)}",
        ),
        "name": (f"there is no machine named {urlsplit(url).hostname!r}", "check the spelling of the server's address"),
        "tls": (
            f"no secure connection with {where}: {detail}",
            "check the date of this machine and the server's certificate; for a server of plain HTTP use http://",
        ),
        "timeout": (
            f"{where} did not answer in time ({detail})",
            "check the address, the network and the proxy settings, then try again",
        ),
        "proxy": (f"the proxy in front of {where} refused: {detail}", "check HTTPS_PROXY / NO_PROXY"),
    }.get(
        last.broke,
        (
            f"the connection to {where} broke: {detail}",
            "check that the address and its scheme (http or https) are right, then try again",
        ),
    )
    return ServiceError("unreachable", message, facts=last.facts, hint=hint)


NO_SUCH_METHOD = 501  # it cannot be asked at all (RFC 9110, 15.6.2): a plain file server says that to a POST


def _something_else(url: str, last: Exchange, said: str) -> ServiceError:
    status, where = last.facts.status or 0, _plain(url)
    if status == 401:
        return ServiceError(
            "sign_in",
            f"{where} refused the token, or needs one (HTTP 401)",
            status=401,
            facts=last.facts,
            hint=HINTS["sign_in"],
        )
    if status in (402, 403, 408, 429) or (status >= 500 and status != NO_SUCH_METHOD):
        trouble = trouble_of_status(status)
        return ServiceError(
            trouble,
            f"{where} answered HTTP {status}{excerpt(last.body)}",
            status=status,
            retry_after_s=last.facts.retry_after_s,
            facts=last.facts,
            hint="try again in a moment" if trouble in ("server", "rate_limited") else HINTS.get(trouble),
        )
    return ServiceError(
        "not_mcp",
        f"something answers at {where}, but it is not an MCP server: {_what_it_is(last, said)}",
        status=status if status >= 300 else None,
        facts=last.facts,
        hint=_not_mcp_hint(url, last),
    )


def _what_it_is(last: Exchange, said: str) -> str:
    status = last.facts.status or 0
    kind = last.headers.get("content-type", "").partition(";")[0].strip()
    if 300 <= status < 400:
        place = _plain(last.headers.get("location", "?"))
        return f"HTTP {status}, a redirect to {place} (another place is not followed)"
    if last.message is not None:
        return f"it speaks JSON-RPC and refused to begin: {said}"
    if status >= 400:
        return f"HTTP {status}{f' ({kind})' if kind else ''}"
    return f"an answer of type {kind or 'unknown'}{excerpt(last.body)}"


def _not_mcp_hint(url: str, last: Exchange) -> str:
    location = last.headers.get("location")
    if location:
        return f"if that is the server you mean, use its address: --server {_plain(location)}"
    if not urlsplit(url).path.rstrip("/").endswith("mcp"):
        return f"the endpoint's path is usually /mcp: --server {_plain(url).rstrip('/')}/mcp"
    return "check the address, host and path"


def host_and_port(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _sandbox_hint(url: str) -> str:
    port = urlsplit(url).port
    return f"for a local one: zenflow sandbox --port {port}" if port else "for a local one: zenflow sandbox --port 8000"


def _plain(url: str) -> str:
    """An address for people: without user, query and fragment, which may hold secrets."""
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
