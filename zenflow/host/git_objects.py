"""Read the content of a git repository as objects: nothing is unpacked, no link is followed, every size has a bound.

A tree may come from a stranger, and may be malformed on purpose: one name twice, links, `..`, sizes without end.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Timer
from typing import IO

from zenflow.errors import UsageError
from zenflow.host.git import NO_REVISION, TIMEOUT_S, git_process, run_git
from zenflow.host.writing import new_file

MOST_ENTRIES = 20_000
MOST_FILE = 64 * 1024 * 1024
MOST_TOTAL = 256 * 1024 * 1024
MOST_PATH = 1_024
_REGULAR = frozenset({"100644", "100755", "100664"})
_CHUNK = 1 << 20
_Conversation = tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Blob:
    """A regular file of a tree. `path` is relative to that tree, with `/`, and safe to write below a folder."""

    path: str
    object_id: str
    size: int


def object_id_of(expression: str, folder: Path, what: str = "") -> str:
    """Return the full id of what an expression names (`v1.2^{commit}`, `main:recipes`). Raises UsageError."""
    words = ["rev-parse", "--verify", "--end-of-options", expression]
    found = run_git(words, folder, what or expression).decode("ascii", "replace").strip()
    if not found or not all(letter in "0123456789abcdef" for letter in found):
        raise UsageError(NO_REVISION, f"unreadable revision: {what or expression}: no such revision or path")
    return found


def blobs_of(tree: str, folder: Path) -> list[Blob]:
    """Return the regular files of a tree, at any depth. `tree` is an object id. Raises UsageError.

    Links, submodules and names that could lead elsewhere are left out. Of two entries with one name the first counts.
    """
    found: dict[str, Blob] = {}
    for number, line in enumerate(_entries(["ls-tree", "-r", "-z", "--long", "--full-tree", tree], folder)):
        if number >= MOST_ENTRIES:
            raise UsageError(NO_REVISION, f"invalid tree {tree[:12]}: more than {MOST_ENTRIES:,} entries")
        blob = _blob(line)
        if blob is not None:
            found.setdefault(blob.path, blob)
    return list(found.values())


def read_blob(blob: Blob, folder: Path, most: int = 1024 * 1024) -> bytes:
    """Return the bytes of one file. Raises UsageError where they are more than `most`."""
    return next(iter(read_blobs([blob], folder, most)))[1]


def read_blobs(blobs: Iterable[Blob], folder: Path, most: int = 1024 * 1024) -> Iterator[tuple[Blob, bytes]]:
    """Yield each file with its bytes, over one git process. Raises UsageError where one has more than `most`."""
    with _conversation(["cat-file", "--batch"], folder) as (_, questions, answers):
        for blob in blobs:
            yield blob, b"".join(_content(blob, questions, answers, most))


def write_blobs(blobs: Iterable[Blob], folder: Path, target: Path, most_file: int = MOST_FILE) -> list[Path]:
    """Write files below the existing folder `target`, each new, none through a link; return what was written.

    Raises UsageError where one file or all together are too large, OSError where the disk says no.
    """
    written, total = [], 0
    with _conversation(["cat-file", "--batch"], folder) as (_, questions, answers):
        for blob in blobs:
            total += blob.size
            if total > MOST_TOTAL:
                raise UsageError(NO_REVISION, f"invalid tree: more than {MOST_TOTAL >> 20} MiB in its files")
            path = target.joinpath(*PurePosixPath(blob.path).parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            with new_file(path) as file:
                for chunk in _content(blob, questions, answers, most_file):
                    file.write(chunk)
            written.append(path)
    return written


def _entries(words: list[str], folder: Path) -> Iterator[bytes]:
    """The records of git's output, each ended by NUL."""
    with _conversation(words, folder) as (process, _, answers):
        left = b""
        while chunk := answers.read1(_CHUNK):  # type: ignore[attr-defined]
            *whole, left = (left + chunk).split(b"\0")
            yield from whole
            if len(left) > 1 << 16:
                raise UsageError(NO_REVISION, "invalid tree: a path without an end")
        if process.wait() != 0 or left:
            raise UsageError(NO_REVISION, f"unreadable tree: {words[-1][:12]}: git stopped in the middle of it")


@contextmanager
def _conversation(words: list[str], folder: Path) -> Iterator[_Conversation]:
    """Git with its input and output; it is killed at the end, and when it takes too long."""
    process = git_process(words, folder)
    assert process.stdin is not None and process.stdout is not None
    watchdog = Timer(TIMEOUT_S, process.kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield process, process.stdin, process.stdout
    except BrokenPipeError as error:
        raise UsageError(NO_REVISION, "git ended in the middle of an answer") from error
    finally:
        watchdog.cancel()
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        try:
            if stream is not None:
                stream.close()
        except OSError:  # what was still to be written has no reader now
            continue
    process.wait()


def _blob(line: bytes) -> Blob | None:
    """`mode SP type SP id SP+ size TAB path` of `ls-tree --long`."""
    facts, tab, name = line.partition(b"\t")
    parts = facts.split()
    try:
        mode, kind, object_id, size = (part.decode("ascii") for part in parts)
        path = name.decode("utf-8")
    except (ValueError, UnicodeDecodeError):
        return None
    if not tab or mode not in _REGULAR or kind != "blob" or not size.isdigit() or not is_safe_path(path):
        return None
    return Blob(path, object_id, int(size))


def is_safe_path(path: str) -> bool:
    """Whether a path of a tree stays below the folder that it is written to, on every system."""
    parts = path.split("/")
    return 0 < len(path) <= MOST_PATH and not any(
        part in ("", ".", "..") or part.lower() == ".git" or any(sign in part for sign in "\0\\:") for part in parts
    )


def _content(blob: Blob, questions: IO[bytes], answers: IO[bytes], most: int) -> Iterator[bytes]:
    """The bytes that git names for an object id, in pieces; the head of the answer decides how many they are."""
    if blob.size > most:
        raise UsageError(NO_REVISION, f"{blob.path} is larger than {most >> 10:,} KiB: {blob.size:,} bytes")
    questions.write(blob.object_id.encode() + b"\n")
    questions.flush()
    head = answers.readline(256).split()
    if len(head) != 3 or head[1:] != [b"blob", str(blob.size).encode()]:
        raise UsageError(NO_REVISION, f"{blob.path} is not in the repository any more")
    left = blob.size
    while left:
        chunk = answers.read(min(left, _CHUNK))
        if not chunk:
            raise UsageError(NO_REVISION, f"{blob.path} is damaged in the repository")
        left -= len(chunk)
        yield chunk
    answers.read(1)
