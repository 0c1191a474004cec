"""Blobs as objects in an S3 bucket. Its lifecycle deletes after a day what nobody else has deleted."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from lambda_api.errors import BlobNotFound
from lambda_api.jobs import is_blob_key
from lambda_api.ports import UploadForm

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONFIG = Config(
    # boto3's default signs forms in the old way and for the global host, which redirects browsers.
    signature_version="s3v4",
    s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
)

# To whoever may not list the bucket, S3 says that a missing object is forbidden.
_MISSING = frozenset({"404", "NoSuchKey", "403", "AccessDenied"})


class S3BlobStore:
    """An object per key."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @classmethod
    def connect(cls, bucket: str) -> Self:
        """With the environment's credentials, in the environment's region."""
        return cls(boto3.client("s3", config=_CONFIG), bucket)

    def upload_form(
        self, key: str, *, content_type: str, max_bytes: int, lifetime: timedelta
    ) -> UploadForm:
        form = self._client.generate_presigned_post(
            self._bucket,
            _checked(key),
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, max_bytes]],
            ExpiresIn=round(lifetime.total_seconds()),
        )
        return UploadForm(url=form["url"], fields=form["fields"])

    def exists(self, key: str) -> bool:
        try:
            self._client.head_object(Bucket=self._bucket, Key=_checked(key))
        except BlobNotFound:
            return False
        except ClientError as error:
            if _is_missing(error):
                return False
            raise
        return True

    def save(self, key: str, data: bytes, *, content_type: str) -> None:
        self._client.put_object(
            Bucket=self._bucket, Key=_checked(key), Body=data, ContentType=content_type
        )

    def load(self, key: str) -> bytes:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=_checked(key))
        except ClientError as error:
            raise _translated(error, key) from error
        with answer["Body"] as body:
            return body.read()

    @contextmanager
    def as_file(self, key: str) -> Iterator[Path]:
        with _fetched(self._client, self._bucket, _checked(key)) as path:
            yield path

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=_checked(key))


class S3ObjectReader:
    """Objects of any bucket that the environment's credentials may read."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    @classmethod
    def connect(cls) -> Self:
        """With the environment's credentials, in the environment's region."""
        return cls(boto3.client("s3", config=_CONFIG))

    @contextmanager
    def as_file(self, bucket: str, key: str) -> Iterator[Path]:
        with _fetched(self._client, bucket, key) as path:
            yield path


@contextmanager
def _fetched(client: "S3Client", bucket: str, key: str) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile() as file:
        try:
            client.download_fileobj(bucket, key, file)
        except ClientError as error:
            raise _translated(error, key) from error
        file.flush()
        yield Path(file.name)


def _checked(key: str) -> str:
    if not is_blob_key(key):
        raise BlobNotFound(f"{key!r} is not a key.")
    return key


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in _MISSING


def _translated(error: ClientError, key: str) -> Exception:
    return BlobNotFound(f"There is no object {key!r}.") if _is_missing(error) else error
