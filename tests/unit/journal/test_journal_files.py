"""The journal's file in every state in which it can be found."""

import asyncio
import os
import sqlite3
import tempfile
from pathlib import Path

import pytest

from tests.support.contracts.journal import AT, started
from zenflow.clock import SystemClock
from zenflow.history import events as e
from zenflow.journal import failures, file, folder, migrations
from zenflow.journal.base import JournalError, NoSuchRun
from zenflow.journal.sqlite import open_journal

CLOCK = SystemClock()


def _may_do_everything() -> bool:
    """Root, unless its capabilities were dropped."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o000)
        allowed = os.access(made, os.W_OK)
        Path(made).chmod(0o700)
    return allowed


as_a_user = pytest.mark.skipif(_may_do_everything(), reason="permissions do not bind this user")


def refused(state_dir: Path, **options: bool) -> JournalError:
    with pytest.raises(JournalError) as caught:
        open_journal(state_dir, clock=CLOCK, **options).close_now()
    assert caught.value.hint
    wrong_setting = caught.value.code in ("ZF800", "ZF807")
    assert caught.value.exit_status == (2 if wrong_setting else 4)
    return caught.value


def a_journal(state_dir: Path, notes: int = 0) -> Path:
    """One run in it, closed."""

    async def fill() -> Path:
        journal = open_journal(state_dir, clock=CLOCK)
        lease = journal.take_lease("run-a")
        await journal.append(lease, [started("run-a"), *(e.Noted(AT, "n", "x" * 200) for _ in range(notes))])
        journal.release_lease(lease)
        await journal.close()
        return journal.path

    return asyncio.run(fill())


def test_makes_a_new_journal_whole_with_its_folders(tmp_path: Path) -> None:
    path = a_journal(tmp_path / "work" / "deep" / ".zenflow")
    assert [found.name for found in path.parent.iterdir()] == ["journal.db"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        names = [row[0] for row in connection.execute("SELECT name FROM migrations")]
    assert names == [migration.name for migration in migrations.MIGRATIONS]


def test_commits_wait_for_the_disk(tmp_path: Path) -> None:
    connection = file.connect(a_journal(tmp_path))
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    connection.close()


def test_every_new_folder_is_synced_into_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(folder, "sync_folder", synced.append)
    a_journal(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]


def test_reads_an_absent_journal_as_empty(tmp_path: Path) -> None:
    state_dir = tmp_path / "none"
    journal = open_journal(state_dir, clock=CLOCK, read_only=True)
    assert (list(journal.runs()), list(journal.events("x"))) == ([], [])
    assert journal.committed_on("acc", "2026-11-21") == 0
    with pytest.raises(NoSuchRun):
        journal.find_run("last")
    with pytest.raises(JournalError):
        journal.take_lease("x")
    journal.close_now()
    assert not state_dir.exists()


def test_a_reader_leaves_no_side_files(tmp_path: Path) -> None:
    path = a_journal(tmp_path)
    journal = open_journal(tmp_path, clock=CLOCK, read_only=True)
    assert journal.find_run("last").run_id == "run-a"
    assert len(journal.events("run-a")) == 1
    journal.close_now()
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@as_a_user
def test_reads_but_never_writes_a_journal_in_a_read_only_folder(tmp_path: Path) -> None:
    path = a_journal(tmp_path)
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        journal = open_journal(tmp_path, clock=CLOCK, read_only=True)
        assert len(journal.events("run-a")) == 1
        journal.close_now()
        assert refused(tmp_path).code == "ZF802"
    finally:
        tmp_path.chmod(0o755)


@as_a_user
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        assert refused(tmp_path / ".zenflow").code == "ZF800"
    finally:
        tmp_path.chmod(0o755)


@as_a_user
def test_a_folder_that_may_not_be_entered_is_named(tmp_path: Path) -> None:
    state_dir = tmp_path / ".zenflow"
    a_journal(state_dir)
    state_dir.chmod(0o000)
    try:
        assert refused(state_dir).code in ("ZF800", "ZF802")
        assert refused(state_dir, read_only=True).code in ("ZF800", "ZF802")
    finally:
        state_dir.chmod(0o755)


@as_a_user
def test_a_journal_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    a_journal(tmp_path).chmod(0o000)
    assert refused(tmp_path).code == "ZF802"


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert refused(tmp_path / "file").code == "ZF800"
    assert refused(tmp_path / "file" / ".zenflow").code == "ZF800"
    assert refused(tmp_path / "file", read_only=True).code == "ZF800"


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "journal.db").mkdir()
    assert refused(tmp_path).code == "ZF800"
    assert refused(tmp_path, read_only=True).code == "ZF800"


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n rubbish" * 50, b"SQLite format 3\x00", b"{}\n"])
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    error = refused(tmp_path)
    assert error.code == "ZF805"
    assert str(path) in str(error)
    assert path.read_bytes() == content


def test_a_truncated_journal_is_noticed_at_once(tmp_path: Path) -> None:
    path = a_journal(tmp_path, notes=500)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refused(tmp_path).code == "ZF805"


def test_damage_inside_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    path = a_journal(tmp_path, notes=500)
    body = bytearray(path.read_bytes())
    body[4096 * 4 :] = b"\xff" * (len(body) - 4096 * 4)
    path.write_bytes(body)
    with pytest.raises(JournalError) as caught:
        open_journal(tmp_path, clock=CLOCK, read_only=True).events("run-a")
    assert caught.value.code == "ZF805"


def test_the_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    before = path.read_bytes()
    error = refused(tmp_path)
    assert error.code == "ZF805" and "another program" in str(error)
    assert path.read_bytes() == before


def test_refuses_a_journal_with_newer_tables(tmp_path: Path) -> None:
    path = a_journal(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO migrations VALUES ('0099 clouds', '2030-01-01')")
    connection.close()
    error = refused(tmp_path)
    assert error.code == "ZF806" and "0099 clouds" in str(error) and "pgrade" in str(error.hint)


def test_refuses_newer_events_and_names_unreadable_rows(tmp_path: Path) -> None:
    path = a_journal(tmp_path)
    for body, code in (('{"v":2,"t":"Noted"}', "ZF806"), ('{"v":1,"t":"No', "ZF805")):
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM events WHERE n > 1")
            connection.execute("INSERT INTO events (n, run, body) VALUES (77, 1, ?)", (body,))
        connection.close()
        journal = open_journal(tmp_path, clock=CLOCK, read_only=True)
        with pytest.raises(JournalError, match="row 77") as caught:
            journal.events("run-a")
        assert caught.value.code == code
        journal.close_now()


def test_a_change_of_the_tables_is_made_once_and_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_journal(tmp_path)
    known = len(migrations.MIGRATIONS)
    later = migrations.Migration("0099 clouds", ("CREATE TABLE clouds (name TEXT)",))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, later))
    for _ in range(2):
        journal = open_journal(tmp_path, clock=CLOCK)
        assert len(journal.events("run-a")) == 1
        journal.close_now()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM migrations").fetchone() == (known + 1,)
        assert connection.execute("SELECT count(*) FROM clouds").fetchone() == (0,)
    connection.close()


def test_a_change_of_the_tables_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_journal(tmp_path)
    broken = migrations.Migration("0002 clouds", ("CREATE TABLE clouds (name TEXT)", "CREATE TABLE clouds (name TEXT)"))
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, broken))
        assert refused(tmp_path).code == "ZF803"
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'clouds'").fetchall() == []
    connection.close()
    open_journal(tmp_path, clock=CLOCK).close_now()


def test_two_that_make_the_journal_at_once_end_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.db"
    link = os.link

    def second_is_faster(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        a_journal(tmp_path)
        link(source, target)

    monkeypatch.setattr(os, "link", second_is_faster)
    journal = open_journal(tmp_path, clock=CLOCK)
    assert journal.find_run("last").run_id == "run-a"  # the other's, with what it has written
    journal.close_now()
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_a_damaged_journal_can_be_put_aside_with_its_side_files(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"rubbish")
    (tmp_path / "journal.db-wal").write_bytes(b"more")
    aside = file.set_aside(path, CLOCK.now())
    assert aside.read_bytes() == b"rubbish"
    assert aside.with_name(aside.name + "-wal").read_bytes() == b"more"
    open_journal(tmp_path, clock=CLOCK).close_now()
    assert path.exists()


def test_words_for_system_errors(tmp_path: Path) -> None:
    codes = {28: "ZF801", 13: "ZF802", 30: "ZF802", 5: "ZF803"}
    for number, code in codes.items():
        assert failures.from_system(OSError(number, os.strerror(number)), tmp_path).code == code


MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
C:\\134 /mnt/c 9p rw,dirsync,aname=drvfs;path=C:\\;uid=1000 0 0
root / 9p rw 0 0
/dev/sdb /home/local/disk xfs rw 0 0
me@host:/ /media/my\\040box fuse.sshfs rw 0 0
//nas/share /nas cifs rw 0 0
"""


@pytest.mark.parametrize(
    "name",
    [
        "/home/me/work/.zenflow",
        "/mnt/c/Users/me/.zenflow",
        "/media/my box/.zenflow",
        "/nas/x",
        "/root/Dropbox/shoot/.zenflow",
        "/root/OneDrive - Firm/shoot/.zenflow",
        "/root/Library/CloudStorage/GoogleDrive-me/.zenflow",
        "/root/Library/Mobile Documents/com~apple~CloudDocs/.zenflow",
    ],
)
def test_a_network_or_synced_folder_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(JournalError) as caught:
        folder.refuse_shared(Path(name), MOUNTS)
    assert caught.value.code == "ZF807"
    assert "--state DIR" in str(caught.value.hint)


@pytest.mark.parametrize(
    "name", ["/srv/x/.zenflow", "/home/local/disk/.zenflow", "/root/dropbox-client/.zenflow", "/homework"]
)
def test_a_local_folder_is_not(name: str) -> None:
    folder.refuse_shared(Path(name), MOUNTS)
    folder.refuse_shared(Path(name), "")


def test_checks_the_folder_before_making_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {tmp_path} nfs rw 0 0\n")
    monkeypatch.setattr(folder, "MOUNTS", mounts)
    assert refused(tmp_path / "work" / ".zenflow").code == "ZF807"
    assert not (tmp_path / "work").exists()


def test_a_run_outlives_the_log_beside_the_file(tmp_path: Path) -> None:
    """Who deletes `journal.db-wal`, or copies the file alone, has a journal that knows the run: a resume lists its tasks."""

    async def die_at_work() -> None:
        journal = open_journal(tmp_path / "here", clock=CLOCK)
        lease = journal.take_lease("run-a")
        await journal.append(lease, [started("run-a")])
        await journal.append(lease, [e.Noted(AT, "n", "what the log alone holds")])
        (tmp_path / "copy").mkdir()
        (tmp_path / "copy" / "journal.db").write_bytes(journal.path.read_bytes())
        await journal.close()

    asyncio.run(die_at_work())
    journal = open_journal(tmp_path / "copy", clock=CLOCK)
    assert [row.run_id for row in journal.runs()] == ["run-a"]
    assert [type(event) for event in journal.events("run-a")] == [e.RunStarted]
    journal.close_now()
