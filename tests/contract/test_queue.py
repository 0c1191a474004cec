"""What every queue must do."""

from lambda_api.jobs import new_job
from tests.apps import LIFETIME
from tests.contract.conftest import Storage
from tests.fakes import FakeClock


def _queue_up(storage: Storage, clock: FakeClock) -> str:
    """A job that is kept as queued, and put."""
    job = new_job(clock(), LIFETIME)
    storage.jobs.add(job)
    storage.jobs.replace(job.queued(expires_at=job.expires_at, give_up_at=job.expires_at))
    storage.queue.put(job.id)
    return job.id


def test_empty_queue_brings_nothing(storage: Storage) -> None:
    """Nothing was put, nothing comes."""
    assert [] == storage.drain()


def test_every_job_is_brought(storage: Storage, clock: FakeClock) -> None:
    """Whatever was put comes."""
    job_ids = {_queue_up(storage, clock) for _ in range(12)}

    assert job_ids == set(storage.drain())


def test_putting_twice_does_no_harm(storage: Storage, clock: FakeClock) -> None:
    """A job that was put twice comes."""
    job_id = _queue_up(storage, clock)
    storage.queue.put(job_id)

    assert [job_id] == storage.drain()
