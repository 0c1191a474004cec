from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lambda_api.adapters.filesystem import FilesystemResultStore
from lambda_api.errors import DetectionGone, DetectionNotFound
from lambda_api.ports import Detection, ResultStore
from lambda_api.services import new_detection_id

NOW = datetime(2026, 10, 6, 9, 30, tzinfo=UTC)
DAY = timedelta(hours=24)
PNG = b"\x89PNG..."

IMPOSSIBLE_IDS = [
    "",
    ".",
    "..",
    "../secret",
    "/etc/passwd",
    "det_../../../../../../etc/passwd",
    "det_AAAAAAAAAAAAAAAAAAAAAAAA/../../x",
    "det_AAAAAAAAAAAAAAAAAAAAAAAA\n",
    "det_\0AAAAAAAAAAAAAAAAAAAAAAA",
    "det_ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ",
    "det_" + "A" * 5000,
]


@pytest.fixture(params=[FilesystemResultStore])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ResultStore:
    """Every implementation must pass every test of this module."""
    build: Callable[..., ResultStore] = request.param
    return build(tmp_path / "store", now=NOW)


@pytest.fixture
def detection() -> Detection:
    return Detection(
        id=new_detection_id(),
        created_at=NOW,
        expires_at=NOW + DAY,
        analysis={"verdict": "inconclusive", "pixel": {"score": 0.5}, "warnings": ["é"]},
        has_heatmap=True,
    )


def test_saved_result_is_loaded(store: ResultStore, detection: Detection) -> None:
    """What was saved comes back equal."""
    store.save(detection, PNG)

    assert detection == store.load(detection.id, now=NOW)
    assert PNG == store.load_heatmap(detection.id, now=NOW)


def test_unknown_id_is_not_found(store: ResultStore) -> None:
    """An id that was never saved is not found, whatever is done with it."""
    for use in _uses(store, new_detection_id(), NOW):
        with pytest.raises(DetectionNotFound):
            use()


@pytest.mark.parametrize("detection_id", IMPOSSIBLE_IDS)
def test_impossible_id_is_not_found(store: ResultStore, detection_id: str) -> None:
    """A string that cannot be an id is not found either, and reaches no file."""
    for use in _uses(store, detection_id, NOW):
        with pytest.raises(DetectionNotFound):
            use()


def test_impossible_id_is_not_saved(store: ResultStore, detection: Detection) -> None:
    """Saving under a string that cannot be an id fails."""
    with pytest.raises(DetectionNotFound):
        store.save(replace(detection, id="../../outside"), PNG)


def test_result_without_heatmap(store: ResultStore, detection: Detection) -> None:
    """A result may have no heatmap; then only that is not found."""
    plain = replace(detection, has_heatmap=False)
    store.save(plain, None)

    assert plain == store.load(plain.id, now=NOW)
    with pytest.raises(DetectionNotFound):
        store.load_heatmap(plain.id, now=NOW)


def test_deleted_result_is_gone(store: ResultStore, detection: Detection) -> None:
    """After deletion, once or twice, reading says gone."""
    store.save(detection, PNG)
    store.delete(detection.id)
    store.delete(detection.id)

    for use in _uses(store, detection.id, NOW)[:2]:
        with pytest.raises(DetectionGone):
            use()


def test_expired_result_is_gone(store: ResultStore, detection: Detection) -> None:
    """From the moment of expiry reading says gone; deleting is still fine."""
    store.save(detection, PNG)

    store.load(detection.id, now=NOW + DAY - timedelta(seconds=1))
    for use in _uses(store, detection.id, NOW + DAY)[:2]:
        with pytest.raises(DetectionGone):
            use()
    store.delete(detection.id)


def test_purge_takes_only_what_has_expired(store: ResultStore, detection: Detection) -> None:
    """Purging keeps what is still valid, and still knows that the rest is gone."""
    later = replace(detection, id=new_detection_id(), expires_at=NOW + 2 * DAY)
    store.save(detection, PNG)
    store.save(later, PNG)
    store.purge(now=NOW + DAY)

    assert later == store.load(later.id, now=NOW + DAY)
    with pytest.raises(DetectionGone):
        store.load(detection.id, now=NOW + DAY)


def _uses(store: ResultStore, detection_id: str, now: datetime) -> list[Callable[[], object]]:
    return [
        lambda: store.load(detection_id, now=now),
        lambda: store.load_heatmap(detection_id, now=now),
        lambda: store.delete(detection_id),
    ]
