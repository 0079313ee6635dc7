"""Opening and creating state files, and everything that can be wrong with them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from unit.state.samples import begin, result, schema_of

from callsheet.errors import ExitCode, StateError, UsageError
from callsheet.state import open_state
from callsheet.state.locations import parse_location, warn_of_network
from callsheet.state.schema import APPLICATION_ID, create, load_migrations, migrate, version_of


def test_creates_private_files_and_folders(path: Path) -> None:
    state = open_state(None, path)
    begin(state)
    modes = {child.name: stat.S_IMODE(child.stat().st_mode) for child in path.parent.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    state.close()
    assert [child.name for child in path.parent.iterdir()] == ["state.db"]


def test_leaves_an_existing_folder_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    open_state(None, tmp_path / "state.db").close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_keeps_what_was_written(path: Path) -> None:
    for _ in range(2):
        state = open_state(None, path)
        asyncio.run(state.put_result(result()))
        state.add_event("run", "rides", {})
        state.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select (select count(*) from results), count(*) from events").fetchone() == (1, 2)
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert connection.execute("pragma application_id").fetchone() == (APPLICATION_ID,)


class TestLocation:
    default = Path("default.db")

    @pytest.mark.parametrize(
        ("location", "expected"),
        [
            (None, "default.db"),
            ("", "default.db"),
            ("a/b.db", "a/b.db"),
            ("/a/b.db", "/a/b.db"),
            ("sqlite:///a/b.db", "a/b.db"),
            ("sqlite:////a/b.db", "/a/b.db"),
            ("~/b.db", str(Path("~/b.db").expanduser())),
        ],
    )
    def test_paths(self, location: str | None, expected: str) -> None:
        assert parse_location(location, self.default) == Path(expected)

    @pytest.mark.parametrize("location", ["postgresql://ann:secret@host/db", "sqlite://", "http://x", "sqlite+x:///a"])
    def test_other_urls(self, location: str) -> None:
        with pytest.raises(UsageError, match="only a file path is supported by this version") as caught:
            open_state(location, self.default)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("location", [":memory:", "sqlite:///:memory:", "sqlite:///"])
    def test_memory(self, location: str) -> None:
        with pytest.raises(UsageError, match="outlive"):
            open_state(location, self.default)

    def test_a_relative_path_stays_where_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        state = open_state("a/state.db", self.default)
        (tmp_path / "other").mkdir()
        monkeypatch.chdir(tmp_path / "other")
        begin(state)
        assert state.submissions([("acc", "k1")])
        assert state.location == "a/state.db"
        state.close()
        assert (tmp_path / "a/state.db").exists()


def test_network_drives_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/vda / ext4 rw 0 0\nhost:/x /my\\040share nfs4 rw 0 0\ntmpfs /my\\040share/tmp tmpfs rw 0 0\n"
    )
    with caplog.at_level(logging.WARNING):
        warn_of_network(Path("/home/state.db"), mounts)
        warn_of_network(Path("/my share/tmp/state.db"), mounts)
        warn_of_network(Path("/home/state.db"), tmp_path / "missing")
        assert caplog.messages == []
        warn_of_network(Path("/my share/state.db"), mounts)
    assert "network file system (nfs4)" in caplog.text


def check_refused(path: Path, expected: str, hint: str) -> None:
    with pytest.raises(StateError, match=expected) as caught:
        open_state(None, path, patience=0.2)
    assert str(path) in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_folder(tmp_path: Path) -> None:
    check_refused(tmp_path, "is a folder", "name a file")


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    check_refused(tmp_path / "file" / "state.db", "not a directory", "name another file")


@pytest.mark.parametrize("content", ["no database at all, but long enough to hold a header" * 10, "short"])
def test_no_database(tmp_path: Path, content: str) -> None:
    path = tmp_path / "state.db"
    path.write_text(content)
    check_refused(path, "not a state file", "name another file")
    assert path.read_text() == content


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("create table t (x)")
    check_refused(path, "another program", "name another file")


def test_a_newer_schema(path: Path) -> None:
    open_state(None, path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 99")
    check_refused(path, "has schema version 99, and this callsheet knows up to 1", "upgrade callsheet")


def test_a_damaged_file(path: Path) -> None:
    state = open_state(None, path)
    for n in range(50):
        asyncio.run(state.put_result(result(f"k{n}", outputs={"text": "x" * 3000})))
    state.close()
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    check_refused(path, "is damaged", "restore it from a backup")


def test_a_locked_file(path: Path) -> None:
    state = open_state(None, path, patience=0.2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    check_refused(path, "locked by another program", "end the program")
    with pytest.raises(StateError, match="locked by another program"):
        begin(state)
    state.add_event("run", "rides", {})
    other.execute("rollback")
    begin(state)
    other.close()
    state.close()


def test_waits_for_a_lock(path: Path) -> None:
    state = open_state(None, path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    timer = threading.Timer(0.3, other.execute, ["commit"])
    timer.start()
    begin(state)
    timer.join()
    other.close()
    state.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_deleted_while_in_use(path: Path, replaced: bool) -> None:
    state = open_state(None, path)
    begin(state)
    for child in path.parent.iterdir():
        child.unlink()
    if replaced:
        create(path, load_migrations())
    with pytest.raises(StateError, match="deleted or replaced"):
        begin(state, "k2")
    state.close()
    if replaced:
        again = open_state(None, path)
        assert again.submissions([("acc", "k1"), ("acc", "k2")]) == {}
        again.close()


def test_a_log_without_its_file(path: Path) -> None:
    state = open_state(None, path)
    begin(state)
    path.unlink()
    check_refused(path, "is gone, but its log", "put the file back")
    state.close()


class TestSchema:
    def test_fresh_equals_migrated(self, tmp_path: Path) -> None:
        create(tmp_path / "fresh.db", load_migrations())
        with contextlib.closing(sqlite3.connect(tmp_path / "migrated.db", isolation_level=None)) as connection:
            for migration in load_migrations():
                migrate(connection, [migration], "here")
        assert schema_of(tmp_path / "fresh.db") == schema_of(tmp_path / "migrated.db")

    def test_an_empty_file_is_filled(self, tmp_path: Path) -> None:
        (tmp_path / "state.db").touch()
        open_state(None, tmp_path / "state.db").close()
        create(tmp_path / "fresh.db", load_migrations())
        assert schema_of(tmp_path / "state.db") == schema_of(tmp_path / "fresh.db")

    def test_without_hard_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(self: Path, target: Path) -> None:
            raise OSError(1, "Operation not permitted")

        monkeypatch.setattr(Path, "hardlink_to", refuse)  # a FAT drive cannot be had in a test
        state = open_state(None, tmp_path / "state.db")
        begin(state)
        state.close()
        assert [child.name for child in tmp_path.iterdir()] == ["state.db"]
        assert stat.S_IMODE((tmp_path / "state.db").stat().st_mode) == 0o600

    def test_migrations_go_forward_in_one_transaction_each(self, tmp_path: Path) -> None:
        more = [*load_migrations(), (2, "create table added (x text);\ninsert into added values ('a;b');")]
        broken = [*more, (3, "create table third (x text);\ninsert into nowhere values (1);")]
        path = tmp_path / "state.db"
        create(path, load_migrations())
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            migrate(connection, more, "here")
            assert version_of(connection) == 2
            with pytest.raises(sqlite3.OperationalError, match="nowhere"):
                migrate(connection, broken, "here")
            assert version_of(connection) == 2
            assert not connection.execute("select 1 from sqlite_master where name = 'third'").fetchall()
            assert connection.execute("select x from added").fetchall() == [("a;b",)]
        check_refused(path, "schema version 2", "upgrade")

    def test_an_error_leaves_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(sqlite3.OperationalError):
            create(tmp_path / "state.db", [(1, "create nonsense;")])
        assert list(tmp_path.iterdir()) == []

    def test_the_database_itself_refuses_two_live_rows(self, path: Path) -> None:
        state = open_state(None, path)
        begin(state)
        state.close()
        copied = "update submissions set idempotency_key = 'x', generation = 2"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("create temp table copy as select * from submissions")
            connection.execute(copied.replace("submissions", "copy"))
            with pytest.raises(sqlite3.IntegrityError, match=r"account, submissions\.key"):
                connection.execute("insert into submissions select * from copy")
