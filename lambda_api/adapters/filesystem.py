"""Blobs as files in one folder. Survives restarts; a crash leaves no half-written file in sight."""

import contextlib
import fcntl
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from lambda_api.errors import BlobNotFound, FormExceeded, UploadRefused
from lambda_api.jobs import is_blob_key
from lambda_api.ports import UploadForm
from lambda_api.upload_policy import Allowed, check_form, sign_form

_SECRET_BYTES = 32


class FilesystemBlobStore:
    """A file per key. What is being written lies in a folder of its own and is locked meanwhile."""

    path = "/v1/uploads/files"
    """Where the service takes the forms of this store."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime]) -> None:
        """Creates the folder when it is missing, and the secret that signs its forms."""
        self._folder = folder
        self._partial = folder / "partial"
        self._clock = clock
        for path in (folder, self._partial, folder / "uploads", folder / "heatmaps"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._secret = _secret(folder / "form-secret")

    def upload_form(
        self, key: str, *, content_type: str, max_bytes: int, lifetime: timedelta
    ) -> UploadForm:
        self._path(key)
        allowed = Allowed(
            key=key,
            content_type=content_type,
            max_bytes=max_bytes,
            expires_at=self._clock() + lifetime,
        )
        return UploadForm(url=self.path, fields=sign_form(allowed, self._secret))

    def receive(self, fields: Mapping[str, str]) -> "IncomingFile":
        allowed = check_form(fields, self._secret, now=self._clock())
        return IncomingFile(self._partial, self._path(allowed.key), allowed.max_bytes)

    def exists(self, key: str) -> bool:
        return is_blob_key(key) and self._path(key).is_file()

    def save(self, key: str, data: bytes, *, content_type: str) -> None:
        del content_type  # whoever reads it knows
        path = self._path(key)
        with _new_file(self._partial) as (handle, name):
            _write_all(handle, data)
            name.replace(path)

    def load(self, key: str) -> bytes:
        with self.as_file(key) as path:
            return path.read_bytes()

    @contextmanager
    def as_file(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        if not path.is_file():
            raise BlobNotFound(f"There is no file {key!r}.")
        yield path

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def media(self) -> list[str]:
        """Ids of the jobs whose file is here."""
        return [path.name for path in (self._folder / "uploads").iterdir()]

    def purge(self) -> None:
        """Delete what killed writers left: the files that nobody holds a lock on."""
        for path in self._partial.iterdir():
            with contextlib.suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()

    def _path(self, key: str) -> Path:
        """Raises BlobNotFound for what is no key: none leads out of the folder."""
        if not is_blob_key(key):
            raise BlobNotFound(f"{key!r} is not a key.")
        return self._folder / key


class IncomingFile:
    """Bytes go to the disk as they come."""

    def __init__(self, partial: Path, target: Path, max_bytes: int) -> None:
        self._target = target
        self._max_bytes = max_bytes
        self._bytes = 0
        self._open = contextlib.ExitStack()
        self._handle, self._name = self._open.enter_context(_new_file(partial))

    def write(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > self._max_bytes:
            raise FormExceeded(self._max_bytes)
        _write_all(self._handle, data)

    def finish(self) -> None:
        if self._bytes == 0:
            raise UploadRefused("The file is empty.")
        try:
            os.link(self._name, self._target)  # unlike renaming, never replaces
        except FileExistsError as error:
            raise UploadRefused("A file was uploaded with this form before.") from error

    def abort(self) -> None:
        self._open.close()


@contextmanager
def _new_file(folder: Path) -> Iterator[tuple[int, Path]]:
    """A locked file, private to its owner, whose name is gone after the block."""
    handle, text = tempfile.mkstemp(dir=folder)
    name = Path(text)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle, name
    finally:
        name.unlink(missing_ok=True)
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _secret(path: Path) -> bytes:
    """Made once for a folder; processes that start together agree on one."""
    with _new_file(path.parent) as (handle, name):
        _write_all(handle, secrets.token_bytes(_SECRET_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    return path.read_bytes()
