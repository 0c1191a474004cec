import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_api.adapters.sqlite import FILE_NAME, Database

SCHEMA = "CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY) STRICT"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "data")
    database.create(SCHEMA)
    yield database
    database.close()


def _numbers(database: Database) -> list[int]:
    with database.transaction() as rows:
        return [row["number"] for row in rows.execute("SELECT number FROM numbers ORDER BY number")]


def test_transaction_is_all_or_nothing(database: Database) -> None:
    """A block that raises leaves nothing behind."""

    def insert_twice() -> None:
        with database.transaction() as rows:
            for _ in range(2):
                rows.execute("INSERT INTO numbers VALUES (1)")

    with pytest.raises(sqlite3.IntegrityError):
        insert_twice()

    assert [] == _numbers(database)


def test_threads_take_turns(database: Database) -> None:
    """Eight threads that count up the same number lose no step."""
    with database.transaction() as rows:
        rows.execute("INSERT INTO numbers VALUES (0)")

    def count() -> None:
        for _ in range(25):
            with database.transaction() as rows:
                (number,) = rows.execute("SELECT number FROM numbers").fetchone()
                rows.execute("UPDATE numbers SET number = ?", (number + 1,))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [200] == _numbers(database)


def test_two_connections_wait_for_each_other(database: Database, tmp_path: Path) -> None:
    """A second user of the same file waits for the first one's transaction."""
    other = Database(tmp_path / "data")
    begun, ended = threading.Event(), threading.Event()

    def write() -> None:
        begun.wait()
        with other.transaction() as rows:
            assert ended.is_set()
            rows.execute("INSERT INTO numbers VALUES (2)")

    thread = threading.Thread(target=write)
    thread.start()
    with database.transaction() as rows:
        begun.set()
        rows.execute("INSERT INTO numbers VALUES (1)")
        thread.join(0.1)
        ended.set()
    thread.join()
    other.close()

    assert [1, 2] == _numbers(database)


def test_committed_rows_survive_kill(tmp_path: Path) -> None:
    """What a killed process had committed is there, and what it had not is not."""
    program = (
        "import os, pathlib, signal\n"
        "from lambda_api.adapters.sqlite import Database\n"
        f"database = Database(pathlib.Path({str(tmp_path)!r}))\n"
        f"database.create({SCHEMA!r})\n"
        "with database.transaction() as rows:\n"
        "    rows.execute('INSERT INTO numbers VALUES (1)')\n"
        "with database.transaction() as rows:\n"
        "    rows.execute('INSERT INTO numbers VALUES (2)')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2])

    assert -9 == killed.returncode
    database = Database(tmp_path)
    assert [1] == _numbers(database)
    database.close()


def test_file_is_private(database: Database, tmp_path: Path) -> None:
    """Only the owner can read what is kept."""
    with database.transaction() as rows:
        rows.execute("INSERT INTO numbers VALUES (1)")
    folder = tmp_path / "data"

    assert 0o700 == folder.stat().st_mode & 0o777
    assert {0o600} == {path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_creating_tables_again_keeps_rows(database: Database) -> None:
    """A store may create its tables each time it starts."""
    with database.transaction() as rows:
        rows.execute("INSERT INTO numbers VALUES (1)")
    database.create(SCHEMA)

    assert [1] == _numbers(database)


def test_damaged_file_is_an_error(tmp_path: Path) -> None:
    """A file that is no database is not overwritten."""
    (tmp_path / FILE_NAME).write_bytes(b"words" * 1000)

    with pytest.raises(sqlite3.DatabaseError):
        Database(tmp_path)
