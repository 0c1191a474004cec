"""One SQLite file for everything the embedded service keeps apart from blobs."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lambda_api.errors import DetectionGone, DetectionNotFound, JobConflict
from lambda_api.jobs import Job, JobStatus
from lambda_api.ports import KeyClaim, StoredAnswer

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

    def erase(self) -> None:
        """Leave nothing of what was deleted in the file, or in the log of its changes."""
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        with self._lock:
            self._connection.close()


REMEMBER_GONE = timedelta(days=30)
"""After expiry; then "gone" becomes "not found"."""


class SqliteJobRepository:
    """A row per job. Once forgotten, only the id and the expiry are left of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(
            """
            CREATE TABLE IF NOT EXISTS jobs (
                id TEXT PRIMARY KEY,
                created_at REAL NOT NULL,
                expires_at REAL NOT NULL,
                revision INTEGER NOT NULL,
                status TEXT,
                settled INTEGER NOT NULL,
                content TEXT  -- Job.to_dict(); NULL once it is gone
            ) STRICT;
            CREATE INDEX IF NOT EXISTS jobs_by_expiry ON jobs (expires_at);
            CREATE INDEX IF NOT EXISTS jobs_to_do ON jobs (created_at) WHERE NOT settled;
            """
        )

    def add(self, job: Job) -> None:
        row = (*_values(job), job.created_at.timestamp(), job.id)
        try:
            with self._database.transaction() as rows:
                rows.execute(
                    "INSERT INTO jobs (expires_at, revision, status, settled, content,"
                    " created_at, id) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    row,
                )
        except sqlite3.IntegrityError as error:
            raise JobConflict(f"There is a job {job.id} already.") from error

    def get(self, job_id: str, *, now: datetime) -> Job:
        with self._database.transaction() as rows:
            row = rows.execute(
                "SELECT content, expires_at FROM jobs WHERE id = ?", (job_id,)
            ).fetchone()
        if row is None:
            raise DetectionNotFound
        if row["content"] is None or row["expires_at"] <= now.timestamp():
            raise DetectionGone
        return _job(row["content"])

    def replace(self, job: Job) -> None:
        with self._database.transaction() as rows:
            changed = rows.execute(
                "UPDATE jobs SET expires_at = ?, revision = ?, status = ?, settled = ?, content = ?"
                " WHERE id = ? AND revision = ? AND content IS NOT NULL",
                (*_values(job), job.id, job.revision - 1),
            ).rowcount
        if not changed:
            raise JobConflict(f"The job {job.id} is no longer at revision {job.revision - 1}.")

    def delete(self, job_id: str) -> None:
        with self._database.transaction() as rows:
            known = rows.execute(
                "UPDATE jobs SET content = NULL, status = NULL, settled = 1 WHERE id = ?",
                (job_id,),
            ).rowcount
        if not known:
            raise DetectionNotFound
        self._database.erase()

    def unsettled(self) -> list[Job]:
        with self._database.transaction() as rows:
            return [
                _job(row["content"])
                for row in rows.execute(
                    "SELECT content FROM jobs WHERE NOT settled ORDER BY created_at"
                )
            ]

    def expired(self, *, now: datetime) -> list[str]:
        with self._database.transaction() as rows:
            return [
                row["id"]
                for row in rows.execute(
                    "SELECT id FROM jobs WHERE expires_at <= ? AND content IS NOT NULL",
                    (now.timestamp(),),
                )
            ]

    def purge(self, *, now: datetime) -> None:
        with self._database.transaction() as rows:
            rows.execute(
                "DELETE FROM jobs WHERE expires_at <= ? AND content IS NULL",
                ((now - REMEMBER_GONE).timestamp(),),
            )


class SqliteJobQueue:
    """The jobs' own rows are the queue, so that no message is ever lost or left over."""

    def __init__(self, database: Database) -> None:
        """The database's jobs."""
        self._database = database
        self._news = threading.Event()

    def put(self, job_id: str) -> None:
        del job_id  # its row says that it is queued
        self._news.set()

    def take(self, *, wait_seconds: float) -> str | None:
        """The longest queued job, or None when there is none for so long. It stays queued."""
        self._news.clear()
        job_id = self._oldest()
        if job_id is None and self._news.wait(wait_seconds):
            job_id = self._oldest()
        return job_id

    def _oldest(self) -> str | None:
        with self._database.transaction() as rows:
            row = rows.execute(
                "SELECT id FROM jobs WHERE NOT settled AND status = ? ORDER BY created_at, rowid",
                (JobStatus.QUEUED,),
            ).fetchone()
        return str(row["id"]) if row else None


class SqliteIdempotencyStore:
    """A row per key."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(
            """
            CREATE TABLE IF NOT EXISTS idempotency_keys (
                key TEXT PRIMARY KEY,
                fingerprint TEXT NOT NULL,
                token TEXT NOT NULL,
                claimed_until REAL NOT NULL,
                expires_at REAL NOT NULL,
                resource TEXT,
                status INTEGER,  -- NULL until there is an answer
                headers TEXT,
                body BLOB
            ) STRICT;
            CREATE INDEX IF NOT EXISTS idempotency_keys_by_resource ON idempotency_keys (resource);
            """
        )

    def claim(self, claim: KeyClaim, *, now: datetime) -> KeyClaim | None:
        with self._database.transaction() as rows:
            row = rows.execute(
                "SELECT * FROM idempotency_keys WHERE key = ?", (claim.key,)
            ).fetchone()
            holder = row and _claim(row)
            if holder is not None and holder.holds(now):
                return holder
            rows.execute(
                "REPLACE INTO idempotency_keys (key, fingerprint, token, claimed_until, expires_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    claim.key,
                    claim.fingerprint,
                    claim.token,
                    claim.claimed_until.timestamp(),
                    claim.expires_at.timestamp(),
                ),
            )
        return None

    def finish(self, claim: KeyClaim, *, resource: str | None) -> None:
        assert claim.answer is not None
        answer = claim.answer
        with self._database.transaction() as rows:
            rows.execute(
                "UPDATE idempotency_keys SET resource = ?, status = ?, headers = ?, body = ?"
                " WHERE key = ? AND token = ?",
                (
                    resource,
                    answer.status,
                    json.dumps(dict(answer.headers)),
                    answer.body,
                    claim.key,
                    claim.token,
                ),
            )

    def release(self, claim: KeyClaim) -> None:
        with self._database.transaction() as rows:
            rows.execute(
                "DELETE FROM idempotency_keys WHERE key = ? AND token = ?", (claim.key, claim.token)
            )

    def forget(self, resource: str) -> None:
        with self._database.transaction() as rows:
            rows.execute("DELETE FROM idempotency_keys WHERE resource = ?", (resource,))

    def release_unfinished(self) -> None:
        """Give back the keys of requests that a killed process left unanswered."""
        with self._database.transaction() as rows:
            rows.execute("DELETE FROM idempotency_keys WHERE status IS NULL")

    def purge(self, *, now: datetime) -> None:
        """Forget what has expired."""
        with self._database.transaction() as rows:
            rows.execute("DELETE FROM idempotency_keys WHERE expires_at <= ?", (now.timestamp(),))


def _values(job: Job) -> tuple[float, int, str, bool, str]:
    content = json.dumps(job.to_dict())
    return job.expires_at.timestamp(), job.revision, job.status, job.settled, content


def _job(content: str) -> Job:
    return Job.from_dict(json.loads(content))


def _claim(row: sqlite3.Row) -> KeyClaim:
    answer = None
    if row["status"] is not None:
        answer = StoredAnswer(
            status=row["status"], headers=json.loads(row["headers"]), body=row["body"]
        )
    return KeyClaim(
        key=row["key"],
        fingerprint=row["fingerprint"],
        token=row["token"],
        claimed_until=datetime.fromtimestamp(row["claimed_until"], UTC),
        expires_at=datetime.fromtimestamp(row["expires_at"], UTC),
        answer=answer,
    )
