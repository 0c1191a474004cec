"""What every repository of jobs must do."""

import dataclasses
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambda_api.adapters.dynamodb import DynamoJobRepository
from lambda_api.errors import DetectionGone, DetectionNotFound, JobConflict, ProblemCode
from lambda_api.jobs import Job, JobProblem, JobStatus, finished_job, new_job, new_job_id
from lambda_api.ports import JobRepository
from tests.aws import AwsResources
from tests.contract.conftest import Storage

NOW = datetime(2026, 10, 6, 9, 30, tzinfo=UTC)
DAY = timedelta(hours=24)
ANALYSIS = {"verdict": "inconclusive", "pixel": {"score": 0.123456789012345}, "warnings": ["é\0"]}

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
    "' OR 1=1 --",
    "det_" + "A" * 5000,
]


@pytest.fixture
def jobs(storage: Storage) -> JobRepository:
    return storage.jobs


@pytest.fixture
def job() -> Job:
    return new_job(NOW, DAY)


def _queued(job: Job) -> Job:
    return job.queued(expires_at=NOW + DAY, give_up_at=NOW + timedelta(hours=1))


def _steps(job: Job) -> list[Job]:
    """The job in every state it can be kept in."""
    queued = _queued(job)
    started = queued.started(lease_until=NOW + timedelta(seconds=60.5))
    halfway = started.progressed(0.5, lease_until=NOW + timedelta(seconds=90))
    again = halfway.released().started(lease_until=NOW + timedelta(seconds=120))
    failed = again.failed(JobProblem(ProblemCode.UNDECODABLE_MEDIA, "It is damaged."))
    return [
        job,
        queued,
        started,
        halfway,
        halfway.released(),
        again,
        failed,
        failed.media_deleted(NOW),
    ]


def test_every_state_comes_back_equal(jobs: JobRepository, job: Job) -> None:
    """What was kept is read again, word for word, in every state."""
    jobs.add(job)
    assert job == jobs.get(job.id, now=NOW)
    for step in _steps(job)[1:]:
        jobs.replace(step)
        assert step == jobs.get(job.id, now=NOW)


def test_result_comes_back_equal(jobs: JobRepository) -> None:
    """Results keep every digit and every letter."""
    job = finished_job(NOW, DAY, ANALYSIS, has_heatmap=True)
    jobs.add(job)

    assert job == jobs.get(job.id, now=NOW)


def test_unknown_id_is_not_found(jobs: JobRepository) -> None:
    """An id that was never kept is not found, whatever is done with it."""
    for use in _uses(jobs, new_job_id()):
        with pytest.raises(DetectionNotFound):
            use()


@pytest.mark.parametrize("job_id", IMPOSSIBLE_IDS)
def test_impossible_id_is_not_found(jobs: JobRepository, job_id: str) -> None:
    """A string that cannot be an id is not found either."""
    for use in _uses(jobs, job_id):
        with pytest.raises(DetectionNotFound):
            use()


def test_id_is_taken_once(jobs: JobRepository, job: Job) -> None:
    """A second job under the same id is refused and changes nothing, also after deletion."""
    jobs.add(job)
    twin = dataclasses.replace(job, expires_at=NOW + 2 * DAY)
    with pytest.raises(JobConflict):
        jobs.add(twin)

    assert job == jobs.get(job.id, now=NOW)
    jobs.delete(job.id)
    with pytest.raises(JobConflict):
        jobs.add(job)


@pytest.mark.parametrize("skipped", [0, 2, 3])
def test_only_the_next_step_is_stored(jobs: JobRepository, job: Job, skipped: int) -> None:
    """A step that does not follow the kept one is refused and changes nothing."""
    jobs.add(job)
    steps = _steps(job)
    jobs.replace(steps[1])
    wrong = dataclasses.replace(steps[3], revision=steps[1].revision + skipped)
    with pytest.raises(JobConflict):
        jobs.replace(wrong)

    assert steps[1] == jobs.get(job.id, now=NOW)


def test_unknown_job_is_not_replaced(jobs: JobRepository, job: Job) -> None:
    """A step of a job that was never added is refused."""
    with pytest.raises(JobConflict):
        jobs.replace(_queued(job))
    with pytest.raises(DetectionNotFound):
        jobs.get(job.id, now=NOW)


def test_deleted_job_is_not_revived(jobs: JobRepository, job: Job) -> None:
    """A step of a deleted job is refused."""
    jobs.add(job)
    jobs.delete(job.id)
    with pytest.raises(JobConflict):
        jobs.replace(_queued(job))
    with pytest.raises(DetectionGone):
        jobs.get(job.id, now=NOW)


def test_one_of_concurrent_steps_wins(jobs: JobRepository, job: Job) -> None:
    """Of eight workers that start the same job at once exactly one does."""
    queued = _queued(job)
    jobs.add(job)
    jobs.replace(queued)
    barrier = threading.Barrier(8)
    won: list[Job] = []
    lost: list[JobConflict] = []

    def start(number: int) -> None:
        step = queued.started(lease_until=NOW + timedelta(seconds=number))
        barrier.wait()
        try:
            jobs.replace(step)
            won.append(step)
        except JobConflict as error:
            lost.append(error)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (1, 7) == (len(won), len(lost))
    assert won == [jobs.get(job.id, now=NOW)]


def test_deleted_job_is_gone(jobs: JobRepository, job: Job) -> None:
    """After deletion, once or twice, reading says gone."""
    jobs.add(job)
    jobs.delete(job.id)
    jobs.delete(job.id)

    with pytest.raises(DetectionGone):
        jobs.get(job.id, now=NOW)


def test_expired_job_is_gone(jobs: JobRepository, job: Job) -> None:
    """From the moment of expiry, and a day later still, reading says gone; deleting is fine."""
    jobs.add(job)

    jobs.get(job.id, now=NOW + DAY - timedelta(seconds=1))
    for later in (timedelta(0), DAY):
        with pytest.raises(DetectionGone):
            jobs.get(job.id, now=NOW + DAY + later)
    jobs.delete(job.id)


def test_queueing_moves_the_expiry(jobs: JobRepository, job: Job) -> None:
    """The expiry is that of the newest step."""
    jobs.add(job)
    jobs.replace(job.queued(expires_at=NOW + 2 * DAY, give_up_at=NOW))

    assert JobStatus.QUEUED is jobs.get(job.id, now=NOW + DAY).status


class _Unconditional:
    """A DynamoDB client that forgets the conditions of what it is asked to put."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_item(self, **arguments: Any) -> Any:
        names = ("ConditionExpression", "ExpressionAttributeValues", "ExpressionAttributeNames")
        return self._client.put_item(
            **{key: value for key, value in arguments.items() if key not in names}
        )


def test_without_its_condition_the_repository_fails_these_tests(
    aws: AwsResources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above notice when a transition in DynamoDB is no longer a compare-and-set."""
    jobs = DynamoJobRepository.connect(aws.table)
    test_one_of_concurrent_steps_wins(jobs, new_job(NOW, DAY))
    test_deleted_job_is_not_revived(jobs, new_job(NOW, DAY))
    test_only_the_next_step_is_stored(jobs, new_job(NOW, DAY), 0)

    monkeypatch.setattr(jobs, "_client", _Unconditional(jobs._client))
    with pytest.raises(AssertionError):
        test_one_of_concurrent_steps_wins(jobs, new_job(NOW, DAY))
    for test in (test_deleted_job_is_not_revived, test_unknown_job_is_not_replaced):
        with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
            test(jobs, new_job(NOW, DAY))


def _uses(jobs: JobRepository, job_id: str) -> list[Callable[[], object]]:
    return [lambda: jobs.get(job_id, now=NOW), lambda: jobs.delete(job_id)]
