"""Files that zenflow writes: under names that nobody can guess, through no link, private where they are state."""

from __future__ import annotations

import ast
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zenflow as package
from tests.safety.hostile_git import RECIPE
from zenflow.cli.terminal import crash_log
from zenflow.host import writing
from zenflow.host.reading import NotAFile, read_regular
from zenflow.host.writing import link_out_of, make_private_folder, new_file, open_own, replace_file
from zenflow.journal.shared_rate_limit import SharedRateLimit

pytestmark = pytest.mark.slow

Zenflow = Callable[..., Any]
SOURCES = Path(package.__file__).parent
OWN = "host/writing.py"
WRITERS = frozenset({"write_text", "write_bytes", "touch", "mkstemp", "NamedTemporaryFile"})
# x+b: made new, under a random name, and locked at once; a WAV in memory
EXCLUSIVE = frozenset({"artifacts/part.py", "sandbox/media/sound.py"})


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of the operator's, outside the received folder."""
    file = tmp_path / "home" / ".bashrc"
    file.parent.mkdir()
    file.write_text("mine")
    return file


@pytest.fixture
def fast(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    (here / "r.yaml").write_text(RECIPE)
    return here


def plant(folder: Path, victim: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(os.path.relpath(victim, (folder / name).parent), folder / name)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# --- one helper writes every file ------------------------------------------------------------------------------------


def writing_calls(file: Path) -> list[int]:
    """The lines on which a module writes a file by itself."""
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        modes = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        opens = name == "open" and any(set(mode) & set("wax") and len(mode) < 4 for mode in modes)
        if name in WRITERS or opens:
            found.append(node.lineno)
    return found


def test_no_other_module_writes_files() -> None:
    found = {str(file.relative_to(SOURCES)): writing_calls(file) for file in SOURCES.rglob("*.py")}
    assert {name for name, lines in found.items() if lines} <= EXCLUSIVE | {OWN}


def test_the_search_for_writers_finds_one(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("path.write_text('x')\nopen('f', 'w')\npath.open('rb')\n")
    assert writing_calls(tmp_path / "one.py") == [1, 2]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path, victim: Path) -> None:
    plant(tmp_path, victim, "file")
    replace_file(tmp_path / "file", "ours")
    assert victim.read_text() == "mine"
    assert (tmp_path / "file").read_text() == "ours" and not (tmp_path / "file").is_symlink()


def test_a_new_file_is_never_one_that_is_there(tmp_path: Path, victim: Path) -> None:
    plant(tmp_path, victim, "file")
    plant(tmp_path, tmp_path / "absent", "dangling")
    for name in ("file", "dangling"):
        with pytest.raises(FileExistsError), new_file(tmp_path / name) as file:
            file.write(b"ours")
        with pytest.raises(OSError):
            open_own(tmp_path / name)
    assert victim.read_text() == "mine" and not (tmp_path / "absent").exists()


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(OSError):
        replace_file(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old" and [one.name for one in tmp_path.iterdir()] == ["file"]


def test_modes_are_kept_or_private(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("x")
    script.chmod(0o750)
    replace_file(script, "y")
    replace_file(tmp_path / "state", "y", private=True)
    make_private_folder(tmp_path / "a" / "b")
    assert (mode_of(script), mode_of(tmp_path / "state")) == (0o750, 0o600)
    assert (mode_of(tmp_path / "a"), mode_of(tmp_path / "a" / "b")) == (0o700, 0o700)


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotAFile):
        read_regular(tmp_path / "pipe", 10)
    (tmp_path / "file").write_text("0123456789")
    assert read_regular(tmp_path / "file", 4) == b"0123"


# --- the commands ----------------------------------------------------------------------------------------------------


def test_plan_does_not_write_through_a_link(zenflow: Zenflow, fast: Path, victim: Path) -> None:
    plant(fast, victim, ".plan.json.new", "plan.json")
    assert zenflow("plan", "r.yaml", "-o", "plan.json").status == 0
    assert victim.read_text() == "mine"
    assert json.loads((fast / "plan.json").read_text())["plan"]


def test_fmt_does_not_write_through_a_link(zenflow: Zenflow, fast: Path, victim: Path) -> None:
    plant(fast, victim, ".r.yaml.zenflow")
    (fast / "r.yaml").write_text(RECIPE.replace("steps:\n  make", "steps:\n    make"))
    assert zenflow("fmt", "r.yaml").status == 0
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("target", [".bashrc", "absent"])
def test_a_golden_file_that_is_a_link_is_refused(zenflow: Zenflow, fast: Path, victim: Path, target: str) -> None:
    plant(fast, victim.with_name(target), "r.test.plans.json")
    case = (
        'zenflow-test: 1\nrecipe: ./r.yaml\ncases:\n  "$(touch PWNED)":\n    golden: true\n    expect: {status: done}\n'
    )
    (fast / "r.test.yaml").write_text(case)
    answer = zenflow("test", "--update", "r.test.yaml")
    assert answer.status == 2 and "ZF037" in answer.err, answer.err
    assert victim.read_text() == "mine" and not victim.with_name("absent").exists()


@pytest.mark.parametrize("name", [".zenflow", "out"])
def test_a_folder_that_is_a_link_out_is_refused(zenflow: Zenflow, fast: Path, victim: Path, name: str) -> None:
    plant(fast, victim.parent, name)
    answer = zenflow("run", "r.yaml", "--json")
    assert (answer.status, answer.code) == (2, "ZF037"), answer.err
    assert [one.name for one in victim.parent.iterdir()] == [".bashrc"]


def test_a_link_that_you_name_yourself_is_followed(zenflow: Zenflow, fast: Path, victim: Path) -> None:
    plant(fast, victim.parent, "mine")
    save = '  save: {uses: download, with: {asset_id: "${{ steps.make.asset_id }}"}}\n'
    (fast / "r.yaml").write_text(RECIPE + save)
    assert zenflow("run", "r.yaml", "--out", "mine").status == 0
    assert [one for one in victim.parent.iterdir() if one.name != ".bashrc"]


@pytest.mark.parametrize("name", ["journal.db", "journal.db-wal", "sandbox/sandbox.db", "sandbox/sandbox.db-wal"])
def test_a_database_that_is_a_link_is_not_written(zenflow: Zenflow, fast: Path, victim: Path, name: str) -> None:
    plant(fast / ".zenflow", victim, name)
    answer = zenflow("run", "r.yaml")
    assert answer.status in (0, 2, 4), answer.err
    assert victim.read_text() == "mine"


def test_the_shared_pace_is_not_kept_through_a_link(tmp_path: Path, victim: Path) -> None:
    shared_limit = SharedRateLimit(tmp_path, "https://example.org/mcp")
    shared_limit.take(100.0, 10.0)
    (file,) = tmp_path.glob("pace-*")
    file.unlink()
    plant(tmp_path, victim, file.name)
    assert shared_limit.take(100.0, 10.0) == 0.0
    assert victim.read_text() == "mine"


def test_a_crash_log_is_private_and_not_guessable(here: Path) -> None:
    (here / ".zenflow").mkdir()
    logs = {crash_log.write(ValueError("x"), ["run"]) for _ in range(3)}
    assert len(logs) == 3 and None not in logs
    assert all(mode_of(log) == 0o600 for log in logs if log is not None)


def test_state_is_for_you_alone(zenflow: Zenflow, fast: Path) -> None:
    """Prompts are private: nobody else of this machine reads the journal, the caches or what was uploaded."""
    assert zenflow("run", "r.yaml").status == 0
    state = fast / ".zenflow"
    for path in (state, *state.rglob("*")):
        assert mode_of(path) & 0o077 == 0, path


def test_a_link_out_is_told_from_one_that_stays(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    os.symlink("inside", tmp_path / "stays")
    os.symlink("..", tmp_path / "leaves")
    assert link_out_of(tmp_path, tmp_path / "stays") is None
    assert link_out_of(tmp_path, tmp_path / "leaves") == tmp_path.parent
