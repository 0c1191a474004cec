"""What every blob store must do. How forms are enforced is tested where they are posted."""

from datetime import timedelta

import pytest

from lambda_api.errors import BlobNotFound
from lambda_api.jobs import heatmap_key, media_key, new_job_id
from lambda_api.ports import BlobStore
from tests.contract.conftest import Storage

ODD_KEYS = [
    "",
    ".",
    "uploads/",
    "uploads/..",
    "../uploads/det_AAAAAAAAAAAAAAAAAAAAAAAA",
    "uploads/../heatmaps/det_AAAAAAAAAAAAAAAAAAAAAAAA.png",
    "uploads/det_AAAAAAAAAAAAAAAAAAAAAAAA/x",
    "uploads/det_AAAAAAAAAAAAAAAAAAAAAAAA\n",
    "uploads/det_\0AAAAAAAAAAAAAAAAAAAAAAA",
    "/etc/passwd",
    "form-secret",
]


@pytest.fixture
def blobs(storage: Storage) -> BlobStore:
    return storage.blobs


@pytest.fixture
def key() -> str:
    return media_key(new_job_id())


@pytest.mark.parametrize("data", [b"", b"\0\xff" * 10, b"x" * 3_000_000])
def test_saved_bytes_come_back(blobs: BlobStore, key: str, data: bytes) -> None:
    """What was saved is read again, in memory and as a file."""
    assert not blobs.exists(key)
    blobs.save(key, data, content_type="image/png")

    assert blobs.exists(key)
    assert data == blobs.load(key)
    with blobs.as_file(key) as path:
        assert data == path.read_bytes()


def test_saving_again_replaces(blobs: BlobStore, key: str) -> None:
    """The newest content counts."""
    blobs.save(key, b"old", content_type="image/png")
    blobs.save(key, b"new", content_type="image/png")

    assert b"new" == blobs.load(key)


def test_keys_are_apart(blobs: BlobStore) -> None:
    """A job's file and its heatmap are two things, and so are two jobs' files."""
    job_id = new_job_id()
    blobs.save(media_key(job_id), b"media", content_type="image/png")
    blobs.save(heatmap_key(job_id), b"heatmap", content_type="image/png")
    blobs.delete(media_key(job_id))

    assert b"heatmap" == blobs.load(heatmap_key(job_id))
    assert not blobs.exists(media_key(job_id))


def test_what_is_missing_is_not_found(blobs: BlobStore, key: str) -> None:
    """Nothing is read that was never saved, or that was deleted; deleting it again is fine."""
    for _ in range(2):
        with pytest.raises(BlobNotFound):
            blobs.load(key)
        with pytest.raises(BlobNotFound), blobs.as_file(key):
            pass
        blobs.delete(key)
    blobs.save(key, b"x", content_type="image/png")
    blobs.delete(key)
    assert not blobs.exists(key)


@pytest.mark.parametrize("odd", ODD_KEYS)
def test_odd_keys_lead_nowhere(blobs: BlobStore, odd: str) -> None:
    """What is no key is not found, not saved, not deleted, and gets no form."""
    assert not blobs.exists(odd)
    for use in (
        lambda: blobs.load(odd),
        lambda: blobs.save(odd, b"x", content_type="image/png"),
        lambda: blobs.delete(odd),
        lambda: blobs.upload_form(
            odd, content_type="image/png", max_bytes=1, lifetime=timedelta(seconds=300)
        ),
    ):
        with pytest.raises(BlobNotFound):
            use()


def test_form_names_key_and_type(blobs: BlobStore, key: str) -> None:
    """The form's fields carry exactly the key and the content type, and a signature over them."""
    form = blobs.upload_form(
        key, content_type="image/png", max_bytes=1, lifetime=timedelta(seconds=300)
    )

    assert (key, "image/png") == (form.fields["key"], form.fields["Content-Type"])
    assert {"policy"} < set(form.fields)
    assert "file" not in form.fields
