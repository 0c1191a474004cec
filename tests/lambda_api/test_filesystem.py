import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lambda_api.adapters.filesystem import REMEMBER_GONE, FilesystemResultStore
from lambda_api.errors import DetectionNotFound
from lambda_api.ports import Detection
from lambda_api.services import new_detection_id

NOW = datetime(2026, 10, 6, 9, 30, tzinfo=UTC)
DAY = timedelta(hours=24)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "store"


def _detection(created_at: datetime = NOW) -> Detection:
    return Detection(
        id=new_detection_id(),
        created_at=created_at,
        expires_at=created_at + DAY,
        analysis={"verdict": "inconclusive"},
        has_heatmap=True,
    )


def test_results_survive_restart(folder: Path) -> None:
    """A second store on the same folder has the first one's results."""
    detection = _detection()
    FilesystemResultStore(folder, now=NOW).save(detection, b"png")

    assert detection == FilesystemResultStore(folder, now=NOW).load(detection.id, now=NOW)


def test_folder_is_private(folder: Path) -> None:
    """Only the owner can read what is kept."""
    FilesystemResultStore(folder, now=NOW).save(_detection(), b"png")

    assert 0o700 == folder.stat().st_mode & 0o777
    assert {0o600} == {path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_deletion_leaves_an_empty_marker(folder: Path) -> None:
    """After deletion one empty file is left."""
    store = FilesystemResultStore(folder, now=NOW)
    detection = _detection()
    store.save(detection, b"png")
    store.delete(detection.id)

    assert [(f"{detection.id}.gone", 0)] == [(p.name, p.stat().st_size) for p in folder.iterdir()]


def test_start_purges(folder: Path) -> None:
    """Expired content is removed when the service starts."""
    FilesystemResultStore(folder, now=NOW).save(_detection(), b"png")
    FilesystemResultStore(folder, now=NOW + DAY)

    assert [".gone"] == [path.suffix for path in folder.iterdir()]


def test_markers_are_forgotten(folder: Path) -> None:
    """Long after expiry nothing is left of a result."""
    store = FilesystemResultStore(folder, now=NOW)
    detection = _detection()
    store.save(detection, b"png")
    store.purge(now=NOW + DAY)
    store.purge(now=NOW + DAY + REMEMBER_GONE + timedelta(seconds=1))

    assert [] == list(folder.iterdir())
    with pytest.raises(DetectionNotFound):
        store.load(detection.id, now=NOW)


def test_interrupted_write_is_cleaned_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves no file behind, and no result."""
    store = FilesystemResultStore(folder, now=NOW)

    def fail(*_arguments: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", fail)
        with pytest.raises(OSError, match="disk full"):
            store.save(_detection(), b"png")

    assert [] == list(folder.iterdir())


def test_purge_removes_leftovers_and_nothing_else(folder: Path) -> None:
    """Files of a killed writer go after an hour; files that are not ours stay."""
    store = FilesystemResultStore(folder, now=NOW)
    ours, foreign = folder / "x.tmp", folder / "notes.json"
    for path in (ours, foreign):
        path.write_bytes(b"")
        os.utime(path, (0, 0))
    store.purge(now=NOW)

    assert [foreign] == list(folder.iterdir())
