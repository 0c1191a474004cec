"""One SQLite file for everything the embedded service keeps apart from blobs."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_NAME = "asli.sqlite"

BUSY_TIMEOUT_SECONDS = 10.0


class Database:
    """A data folder's SQLite file: one connection, used by one thread at a time.

    What is committed survives the process being killed. Other processes may use the file too.
    Each store creates its own tables with `create`, and keeps moments as seconds since 1970.
    """

    def __init__(self, data_dir: Path) -> None:
        """Creates the folder when it is missing. Raises OSError when it cannot be used."""
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = data_dir / FILE_NAME
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,  # transactions begin and end in `transaction` alone
            check_same_thread=False,  # the lock sees to it
        )
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON"):
            self._connection.execute(f"PRAGMA {pragma}")

    def create(self, schema: str) -> None:
        """Make a store's tables; statements must say IF NOT EXISTS."""
        with self._lock:
            self._connection.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block's statements, or none if it raises; nobody writes in between."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            self._connection.close()
