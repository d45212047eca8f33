"""Run git on a repository that may come from a stranger: its filters, hooks, pagers and transports stay off.

`run_git` answers short questions, `git_process` gives what a longer conversation needs (`git_objects`). Put every value
that you did not write yourself behind `--end-of-options` or `--`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from zenflow.errors import UsageError
from zenflow.host.programs import find_program

NO_GIT, NO_REVISION = "ZF064", "ZF065"
TIMEOUT_S = 60
MOST_ANSWER = 4 * 1024 * 1024
# Each of these could run a program of the repository's choice. Git takes the command line over every file.
_OFF = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.pager=cat",
    "diff.external=",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
)


def git_argv(words: Sequence[str]) -> list[str]:
    """Return the command line of a git that runs nothing of the repository's. Raises UsageError where there is no git."""
    program = find_program("git")
    if program is None:
        raise UsageError(NO_GIT, "missing program: git", "Name files instead of revisions, or install git.")
    settings = [word for setting in _OFF for word in ("-c", setting)]
    return [program, "--no-pager", "--no-replace-objects", "--literal-pathspecs", *settings, *words]


def git_environment(transports: Sequence[str] = ()) -> Mapping[str, str]:
    """Return the environment for git: the operator's own, without git's variables and without a token of the service.

    `transports`: the protocols that git may speak (`https`, `ssh`); none by default, so that a repository cannot fetch
    what it lacks in the middle of a read.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "ZENFLOW_"))}
    return {
        **kept,
        "GIT_ALLOW_PROTOCOL": ":".join(transports) or "none",
        "GIT_NO_LAZY_FETCH": "0" if transports else "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def run_git(words: Sequence[str], folder: Path, what: str) -> bytes:
    """Return what git prints. `what` names the thing that is read, for the error. Raises UsageError."""
    try:
        done = subprocess.run(
            git_argv(words),
            cwd=folder,
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UsageError(NO_GIT, f"git does not answer: {error}") from error
    if done.returncode != 0 or len(done.stdout) > MOST_ANSWER:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1].removeprefix("fatal: ") if lines else "git gives no reason"
        reason = "no such revision or path" if reason == "Needed a single revision" else reason
        raise UsageError(NO_REVISION, f"unreadable revision: {what}: {reason}", "As in `main:recipes/photoshoot.yaml`.")
    return done.stdout


def git_process(words: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start git with pipes for its input and output. Raises UsageError."""
    try:
        return subprocess.Popen(
            git_argv(words),
            cwd=folder,
            env=git_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, ValueError) as error:
        raise UsageError(NO_GIT, f"git does not answer: {error}") from error
