"""Results of many files as JSON lines, to which a run that was broken off can be added."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class ResultsFile:
    """One line per file, written as soon as its result is there.

    A file counts as done when a line holds its path, size and time of last change, and no error.
    A line that a broken run left unfinished counts for nothing.
    """

    def __init__(self, path: Path) -> None:
        """Reads what is there already. Raises OSError."""
        self._path = path
        self._done: set[tuple[str, int, int]] = set()
        content = path.read_bytes() if path.exists() else b""
        self._is_torn = not content.endswith(b"\n") and content != b""
        for line in content.splitlines():
            self._remember(line)

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a", encoding="utf-8")
        if self._is_torn:
            self._file.write("\n")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def has(self, path: Path) -> bool:
        """Whether this very state of the file was analysed."""
        try:
            return _state(path) in self._done
        except OSError:
            return False

    def add(self, path: Path, values: Mapping[str, Any]) -> None:
        """Append the line of one file: its path, its state, and the given values."""
        try:
            name, size, modified_ns = _state(path)
        except OSError:  # it cannot be read; the values say so
            name, size, modified_ns = str(path), None, None
        line = {"path": name, "size": size, "modified_ns": modified_ns, **values}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def _remember(self, line: bytes) -> None:
        try:
            values = json.loads(line)
        except ValueError:
            return
        if isinstance(values, dict) and "error" not in values:
            path, size, modified_ns = map(values.get, ("path", "size", "modified_ns"))
            if isinstance(path, str) and isinstance(size, int) and isinstance(modified_ns, int):
                self._done.add((path, size, modified_ns))


def _state(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns
