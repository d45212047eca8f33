"""Run a page of the documents as its reader would: write its files, run its commands, compare what they print.

A comment in front of a block says what the block is:

- `<!-- file: recipes/shop.yaml -->`: write the block to this file.
- `<!-- status: 4 -->`: the last command of the block ends with this status, not 0.
- `<!-- kill: shoot -->`: kill the command (SIGKILL) as soon as it prints this text.
- `<!-- serve -->`: start the command, and go on when it serves.
- `<!-- sample: why -->`: do not run the block, for this reason.

A `console` block holds commands behind `$ ` and, after one, either everything that it prints or nothing. Ids of runs,
dates, ports and durations may differ. `python -m tests.support.walkthrough docs/tutorial.md …` writes the output anew.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPEED, SLOW = "1000", "10"
PORT = "8765"  # the documents' port; the test takes a free one

_BLOCK = re.compile(r"(?:^<!-- ([\w ]+?)(?:: (.+?))? -->\n)?^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAME = [
    (re.compile(r"\d{8}-\d{6}-[a-z0-9]{4}"), "20261128-101421-88gd"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), "2026-11-28 10:14"),
    (re.compile(r"(done|stopped|failed|interrupted)(?: in \d[\w ]*)?$", re.MULTILINE), r"\1"),
    (re.compile(r"127\.0\.0\.1:\d+"), f"127.0.0.1:{PORT}"),
    (re.compile(r"\d[\d.]* [kM]B\b"), "1.8 MB"),
]
_PROGRESS = re.compile(r"^ *(?:\d+ (?:min|h) )*\d+ (?:s|min)  |^looking for |^run \S+ → |^Takes about ")
_FIRST_LINE = re.compile(r"^(?:sandbox · pictures are drawn, no credits)$")


@dataclass(slots=True)
class Walk:
    """One page in one folder: what ran, and what printed otherwise than the page says."""

    page: Path
    folder: Path
    home: Path
    port: str = PORT
    differences: list[str] = field(default_factory=list)
    served: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self) -> str:
        """Run every block. Return the page with the output that its commands really print."""
        text = self.page.read_text("utf-8")
        try:
            return _BLOCK.sub(self._block, text)
        finally:
            for process in self.served:
                process.terminate()
                process.wait()

    def _block(self, found: re.Match[str]) -> str:
        kind, what, language, body = found.groups()
        if kind == "file":
            path = self.folder / what
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body.replace(PORT, self.port), "utf-8")
        elif language == "console" and kind != "sample" and "$ " in body:
            printed = "".join(self._commands(body, kind, what))
            return found[0].replace(body, printed)
        elif kind != "sample" and body.startswith("zenflow: 1"):
            self.differences.append(f"a recipe without a file: {body.splitlines()[1]}")
        return found[0]

    def _commands(self, body: str, kind: str | None, what: str | None) -> Iterator[str]:
        steps = list(_steps(body))
        for number, (command, said) in enumerate(steps):
            last = number == len(steps) - 1
            expected = int(what or 0) if kind == "status" and last else 0
            status, printed = self._shell(command, kind if last else None, what)
            if kind not in ("kill", "serve") and status != expected:
                self.differences.append(f"$ {command}\nended with {status}, not {expected}:\n{printed}")
            alike = same(said) == same(printed)
            if said.strip() and not alike:
                self.differences.append(f"$ {command}\nprints\n{printed}\nnot\n{said}")
            yield _shown(command, said if alike or not said.strip() else printed)

    def _shell(self, command: str, kind: str | None, what: str | None) -> tuple[int, str]:
        if command.startswith("cd ") and "&" not in command:
            self.folder = self.folder / command[3:]
            return 0, ""
        script = command.replace(PORT, self.port)
        if kind == "serve":
            return 0, self._serve(script)
        if kind != "kill" and (words := self._words(script)) is not None:
            return self._here(words)
        # What is killed goes slowly: its text must come while there is still something to do.
        process = self._start(script.removesuffix("&"), SLOW if kind == "kill" else SPEED)
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if kind == "kill" and what is not None and what in line:
                os.killpg(process.pid, signal.SIGKILL)
        return process.wait(), tidy("".join(lines))

    def _words(self, script: str) -> list[str] | None:
        """The words of a command that needs no shell: it runs in this process, which saves the start of another."""
        try:
            words = shlex.split(script.replace("\\\n", " ").replace("$HOME", str(self.home)))
        except ValueError:
            return None
        plain = words[0] == "zenflow" and not re.search(r"[|&;<>`$]", script.replace("$HOME", ""))
        return words[1:] if plain else None

    def _here(self, words: list[str]) -> tuple[int, str]:
        from zenflow.cli.main import run

        printed, before, at = io.StringIO(), dict(os.environ), Path.cwd()
        own = self._environment()
        try:
            os.environ.clear()
            os.environ.update(own)
            os.chdir(self.folder)
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                status = run(words)
        finally:
            os.chdir(at)
            os.environ.clear()
            os.environ.update(before)
        return status, tidy(printed.getvalue())

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ZENFLOW_")}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        fast = {"ZENFLOW_SPEED": SPEED, "ZENFLOW_LOST_ANSWER_WAIT": "1"}
        return kept | fast | {"HOME": str(self.home), "PATH": path, "PYTHONUNBUFFERED": "1", "COLUMNS": "80"}

    def _serve(self, script: str) -> str:
        """The command serves at a port of its own; the commands that follow find it there."""
        process = self._start(script.replace(f"--port {self.port}", "--port 0").removesuffix("&"))
        self.served.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"127\.0\.0\.1:(\d+)", line):
                self.port = found[1]
                return line
        raise AssertionError(f"it serves nothing: {script}")

    def _start(self, script: str, speed: str = SPEED) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment() | {"ZENFLOW_SPEED": speed},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def walk(page: Path, folder: Path) -> Walk:
    """A page in a new folder, for a reader with three photos of products and one portrait."""
    home = folder / "home"
    products = home / "Pictures" / "products"
    products.mkdir(parents=True)
    photos = ROOT / "recipes" / "photos"
    shutil.copy(photos / "portrait.jpg", home / "Pictures")
    for name in ("chair.jpg", "lamp.jpg", "mug.jpg"):
        shutil.copy(photos / name, products)
    place = folder / "work"
    place.mkdir()
    shutil.copytree(ROOT / "recipes", place / "recipes") if page.name == "README.md" else None
    if "examples/" in page.read_text("utf-8"):
        shutil.copytree(ROOT / "examples", place / "examples")
    return Walk(page, place, home)


def tidy(printed: str) -> str:
    """What stays on a reader's screen: without progress, and the sandbox's line once."""
    lines: list[str] = []
    for line in printed.splitlines():
        if _PROGRESS.match(line) or (_FIRST_LINE.match(line) and line in lines):
            continue
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip("\n") + "\n" if lines else ""


def same(printed: str) -> str:
    """The text without what differs from run to run."""
    for pattern, instead in _SAME:
        printed = pattern.sub(instead, printed)
    return printed.strip()


def _steps(body: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with what the page says that it prints."""
    command: list[str] = []
    said: list[str] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            if command:
                yield "\n".join(command), "\n".join(said)
            command, said = [line[2:]], []
        elif command and command[-1].endswith("\\") and not said:
            command.append(line)
        else:
            said.append(line)
    if command:
        yield "\n".join(command), "\n".join(said)


def _shown(command: str, printed: str) -> str:
    return f"$ {command}\n" + (printed.rstrip("\n") + "\n" if printed.strip() else "")


def main(pages: list[str]) -> None:
    for name in pages:
        with tempfile.TemporaryDirectory() as folder:
            one = walk(Path(name), Path(folder))
            Path(name).write_text(one.run(), "utf-8")
        sys.stdout.write(f"{name}: {len(one.differences)} differences\n")
        for difference in one.differences:
            sys.stdout.write(f"{difference}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
