"""What names a repository: its name, its URL, a revision. Refuse everything that git could take for something else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from zenflow.errors import UsageError

UNSAFE = "ZF559"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,63}")
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SCP = re.compile(r"[\w.-]+@[\w.-]+:(?!//)[^\s:]+")
_SCHEMES = frozenset({"https", "http", "ssh", "git"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_REVISION = re.compile(r"[\w][\w./+-]{0,199}")
_AS_IN = "As in `https://git.example.com/studio/recipes.git`."

Transport = Literal["https", "http", "ssh", "git", "file"]


@dataclass(frozen=True, slots=True)
class Address:
    """A URL that was checked. `transport` is the one protocol that git may speak for it."""

    url: str
    transport: Transport
    host: str = ""  # with its port


@dataclass(frozen=True, slots=True)
class RecipeReference:
    """A recipe of a repository, as a word: `NAME:path`, `NAME@REV:path`, `URL@REV:path`."""

    repository: str  # a name, or a URL
    rev: str | None
    path: str
    is_url: bool

    def __str__(self) -> str:
        return f"{self.repository}{f'@{self.rev}' if self.rev else ''}:{self.path}"


def parse_reference(word: str) -> RecipeReference | None:
    """Return the parts of a word; None for a word that names a file, a run, or a revision of git."""
    before, colon, path = word.rpartition(":")
    if not colon or not before or not path or path.startswith("//") or len(before) == 1:
        return None
    repository, at, rev = before.rpartition("@")
    if at and NAME.fullmatch(repository):
        return RecipeReference(repository, rev, path, is_url=False)
    if not at and NAME.fullmatch(before):
        return RecipeReference(before, None, path, is_url=False)
    if at and looks_like_url(repository):
        return RecipeReference(repository, rev, path, is_url=True)
    return None


def looks_like_url(text: str) -> bool:
    """Whether a word is meant as the address of a repository."""
    return (
        "://" in text or "::" in text or _SCP.fullmatch(text) is not None or text.startswith(("/", "./", "../", "~/"))
    )


def checked_address(url: str, *, typed: bool, base: Path, parent: Address | None = None) -> Address:
    """Return the address, or raise UsageError.

    `typed`: the operator wrote it, so it may be a local path, relative to `base`. Else it is written in the repository
    `parent`, and only https, ssh, and the parent's own host are allowed.
    """
    if not url or url.startswith("-") or any(c.isspace() or not c.isprintable() for c in url) or len(url) > 2000:
        raise UsageError(UNSAFE, f"invalid url: `{url[:200]}`", _AS_IN)
    if re.match(r"[A-Za-z0-9+.-]+::", url):
        raise UsageError(UNSAFE, f"invalid url: `{url[:200]}` names a program for git to run", _AS_IN)
    if _SCP.fullmatch(url):
        host = url.partition("@")[2].partition(":")[0]
        if host.startswith("-"):
            raise UsageError(UNSAFE, f"invalid url: `{url[:200]}`", _AS_IN)
        return Address(url, "ssh", host)
    if "://" in url:
        return _with_scheme(url, parent)
    if not typed:
        raise UsageError(
            UNSAFE, f"invalid url: `{url[:200]}`: a repository cannot name a folder of this machine", _AS_IN
        )
    return Address(str((base / Path(url).expanduser()).resolve()), "file")


def _with_scheme(url: str, parent: Address | None) -> Address:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError(UNSAFE, f"invalid url: `{url[:200]}`", _AS_IN) from None
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES:
        known = "https, ssh, `git@host:path`, or a local path"
        raise UsageError(UNSAFE, f"invalid url: `{url[:200]}`: `{scheme}` is not allowed", f"Use {known}.")
    if not host or host.startswith("-") or (parts.username or "").startswith("-"):
        raise UsageError(UNSAFE, f"invalid url: `{url[:200]}`", _AS_IN)
    if parts.password:
        shown = url.replace(f":{parts.password}@", ":…@", 1)
        hint = "Keep it in git's credential helper, and leave it out of the address."
        raise UsageError(UNSAFE, f"invalid url: `{shown}` holds a password", hint)
    place = host if port is None else f"{host}:{port}"
    if scheme in ("http", "git") and (host not in _LOOPBACK or (parent is not None and parent.host != place)):
        hint = "Use https or ssh: nobody on the way can change what arrives."
        raise UsageError(UNSAFE, f"invalid url: `{url[:200]}`: `{scheme}` is not safe on a network", hint)
    return Address(url, scheme, place)  # type: ignore[arg-type]


def checked_revision(rev: str) -> str:
    """Return a tag, branch or commit that git cannot take for an option or an expression. Raises UsageError."""
    if not _REVISION.fullmatch(rev) or ".." in rev or "//" in rev or rev.endswith((".lock", "/", ".")):
        hint = "Name a tag, a branch or a full commit, as in `v1.4.0`."
        raise UsageError(UNSAFE, f"invalid rev: `{rev[:200]}`", hint)
    return rev


def checked_path(path: str, what: str) -> str:
    """Return a path that stays below the root of a repository. Raises UsageError."""
    parts = path.replace("\\", "/").split("/")
    if path.startswith(("/", "~", "-")) or ".." in parts or ":" in path or not path.isprintable():
        raise UsageError(UNSAFE, f"invalid {what}: `{path[:200]}` leads out of the repository", "As in `recipes`.")
    return "/".join(part for part in parts if part not in ("", "."))
