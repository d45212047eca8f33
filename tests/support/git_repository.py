"""A git repository that a test writes, commits and tags."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Author"), ("EMAIL", "author@example.com"), ("DATE", "2026-11-01T12:00:00Z"))
}


@dataclass(frozen=True)
class GitRepository:
    """`folder` is the work tree; `bare` the repository that others fetch from."""

    folder: Path
    bare: Path

    @classmethod
    def make(cls, folder: Path) -> GitRepository:
        made = cls(folder, folder.with_name(f"{folder.name}.git"))
        folder.mkdir(parents=True)
        made.git("init", "--quiet", "--initial-branch=main")
        git(folder.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(made.bare))
        git(made.bare, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(made.bare, "config", "receive.denyDeleteCurrent", "ignore")
        return made

    def git(self, *words: str, data: bytes | None = None) -> str:
        return git(self.folder, *words, data=data)

    def write(self, path: str, content: str | bytes) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def release(self, tag: str, *, annotate: bool = False, **files: str | bytes) -> str:
        """Write files (`a__b_yaml` is `a/b.yaml`), commit, tag and publish; return the commit."""
        for name, content in files.items():
            self.write(name.replace("__", "/").replace("_yaml", ".yaml").replace("_toml", ".toml"), content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", f"Release {tag}")
        self.git("tag", "--force", *(("--annotate", "--message", tag) if annotate else ()), tag)
        self.publish()
        return self.commit("HEAD")

    def publish(self) -> None:
        self.git("push", "--quiet", "--force", "--mirror", str(self.bare))

    def commit(self, rev: str) -> str:
        return self.git("rev-parse", f"{rev}^{{commit}}").strip()

    def tag_tree(self, tag: str, entries: list[tuple[str, str, str]]) -> None:
        """Tag a commit whose tree git itself would not make: `(mode, name, object id)`, and publish it."""
        body = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
        tree = self.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=body).strip()
        commit = self.git("commit-tree", tree, "-m", tag).strip()
        self.git("tag", "--force", tag, commit)
        self.publish()

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", data=content).strip()


def git(folder: Path, *words: str, data: bytes | None = None) -> str:
    """Run git as an author of its own; return what it prints."""
    settings = ("-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false", "-c", "safe.directory=*")
    environment = {**os.environ, **_WHO}
    done = subprocess.run(
        ["git", *settings, *words], cwd=folder, env=environment, input=data, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()
