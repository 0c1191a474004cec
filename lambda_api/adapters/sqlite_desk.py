"""Calls, keys, messages and feedback in the data folder's SQLite file."""

import json
import sqlite3
from datetime import UTC, datetime

from lambda_api.adapters.sqlite import Database
from lambda_api.errors import KeyNotFound
from lambda_api.ports import (
    ApiKey,
    Feedback,
    FeedbackLabel,
    KeyScope,
    MessageKind,
    VisitorMessage,
)


class SqliteCallCounter:
    """One row per bucket and window."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(
            "CREATE TABLE IF NOT EXISTS calls (bucket TEXT, window INTEGER, count INTEGER NOT NULL, "
            "expires_at REAL NOT NULL, PRIMARY KEY (bucket, window)) WITHOUT ROWID;"
            "CREATE INDEX IF NOT EXISTS calls_expiry ON calls (expires_at);"
        )

    def count(self, bucket: str, window: int) -> int:
        with self._database.transaction() as connection:
            return _count(connection, bucket, window)

    def add(self, bucket: str, window: int, *, below: int, expires_at: datetime) -> int | None:
        with self._database.transaction() as connection:
            count = _count(connection, bucket, window)
            if count >= below:
                return None
            connection.execute(
                "INSERT INTO calls VALUES (?, ?, 1, ?) "
                "ON CONFLICT (bucket, window) DO UPDATE SET count = count + 1",
                (bucket, window, expires_at.timestamp()),
            )
            return count + 1

    def purge(self, *, now: datetime) -> None:
        """Forget the windows that count no more."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM calls WHERE expires_at <= ?", (now.timestamp(),))


class SqliteKeyStore:
    """One row per key."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(
            "CREATE TABLE IF NOT EXISTS api_keys (id TEXT PRIMARY KEY, name TEXT NOT NULL, "
            "scopes TEXT NOT NULL, secret_sha256 TEXT NOT NULL, created_at REAL NOT NULL, "
            "revoked_at REAL)"
        )

    def add(self, key: ApiKey) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, NULL)",
                (
                    key.id,
                    key.name,
                    " ".join(sorted(key.scopes)),
                    key.secret_sha256,
                    key.created_at.timestamp(),
                ),
            )

    def get(self, key_id: str) -> ApiKey:
        with self._database.transaction() as connection:
            row = connection.execute("SELECT * FROM api_keys WHERE id = ?", (key_id,)).fetchone()
        if row is None:
            raise KeyNotFound(key_id)
        return _key(row)

    def all(self) -> list[ApiKey]:
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT * FROM api_keys ORDER BY created_at, id").fetchall()
        return [_key(row) for row in rows]

    def revoke(self, key_id: str, *, now: datetime) -> None:
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?",
                (now.timestamp(), key_id),
            )
            if changed.rowcount == 0:
                raise KeyNotFound(key_id)


class SqliteMessageStore:
    """One row per message, and one per feedback; a file that was left lies in the row."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(
            "CREATE TABLE IF NOT EXISTS messages (reference TEXT PRIMARY KEY, created_at REAL NOT NULL, "
            "expires_at REAL NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, email TEXT);"
            "CREATE TABLE IF NOT EXISTS feedback (reference TEXT PRIMARY KEY, created_at REAL NOT NULL, "
            "expires_at REAL NOT NULL, label TEXT NOT NULL, facts TEXT NOT NULL, media BLOB)"
        )

    def save_message(self, message: VisitorMessage) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)",
                (
                    message.reference,
                    message.created_at.timestamp(),
                    message.expires_at.timestamp(),
                    message.kind,
                    message.text,
                    message.email,
                ),
            )

    def save_feedback(self, feedback: Feedback) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?)",
                (
                    feedback.reference,
                    feedback.created_at.timestamp(),
                    feedback.expires_at.timestamp(),
                    feedback.label,
                    json.dumps(feedback.facts),
                    feedback.media,
                ),
            )

    def messages(self, *, now: datetime) -> list[VisitorMessage]:
        return [
            VisitorMessage(
                reference=row["reference"],
                created_at=_moment(row["created_at"]),
                expires_at=_moment(row["expires_at"]),
                kind=MessageKind(row["kind"]),
                text=row["text"],
                email=row["email"],
            )
            for row in self._rows("messages", now)
        ]

    def feedback(self, *, now: datetime) -> list[Feedback]:
        return [
            Feedback(
                reference=row["reference"],
                created_at=_moment(row["created_at"]),
                expires_at=_moment(row["expires_at"]),
                label=FeedbackLabel(row["label"]),
                facts=json.loads(row["facts"]),
                media=row["media"],
            )
            for row in self._rows("feedback", now)
        ]

    def purge(self, *, now: datetime) -> None:
        """Forget what has expired."""
        with self._database.transaction() as connection:
            for table in ("messages", "feedback"):
                connection.execute(
                    f"DELETE FROM {table} WHERE expires_at <= ?",  # noqa: S608 - our own names
                    (now.timestamp(),),
                )

    def _rows(self, table: str, now: datetime) -> list[sqlite3.Row]:
        with self._database.transaction() as connection:
            rows: list[sqlite3.Row] = connection.execute(
                f"SELECT * FROM {table} WHERE expires_at > ? ORDER BY created_at, reference",  # noqa: S608
                (now.timestamp(),),
            ).fetchall()
        return rows


def _count(connection: sqlite3.Connection, bucket: str, window: int) -> int:
    row = connection.execute(
        "SELECT count FROM calls WHERE bucket = ? AND window = ?", (bucket, window)
    ).fetchone()
    return int(row["count"]) if row else 0


def _key(row: sqlite3.Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(KeyScope(scope) for scope in row["scopes"].split()),
        secret_sha256=row["secret_sha256"],
        created_at=_moment(row["created_at"]),
        revoked_at=None if row["revoked_at"] is None else _moment(row["revoked_at"]),
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
