"""Two thousand damaged files: each ends in an answer or in an error with a name."""

import multiprocessing
import threading
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.fuzz.mutations import MUTATIONS, mutant, whole_files
from tests.fuzz.worker import Fate, work

FILES = 2000
SEED = 20261123
PROCESSES = 2
MAX_SECONDS = 10
MAX_MIB = 1000
SECONDS_TO_LOAD = 60

_CONTEXT = multiprocessing.get_context("spawn")


class _Worker:
    """A worker process that is started again when a file kills or hangs it."""

    def __init__(self, model: Path, report: Path, wholes: list[bytes]) -> None:
        self._arguments = (model, report, wholes, SEED)
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection

    def analyse(self, number: int) -> Fate:
        patience = MAX_SECONDS if self._process else MAX_SECONDS + SECONDS_TO_LOAD
        if self._process is None:
            self._pipe, theirs = _CONTEXT.Pipe()
            self._process = _CONTEXT.Process(target=work, args=(theirs, *self._arguments))
            self._process.start()
            theirs.close()
        self._pipe.send(number)
        try:
            if self._pipe.poll(patience):
                fate: Fate = self._pipe.recv()
                return fate
            outcome = "hangs"
        except EOFError:
            outcome = "kills the process"
        self._process.kill()
        self._process.join()
        self._process = None
        return Fate(number, outcome, is_allowed=False, seconds=patience, peak_mib=0)

    def stop(self) -> None:
        if self._process:
            self._pipe.send(None)
            self._process.join()


def _run(numbers: Iterator[int], worker: _Worker, fates: list[Fate]) -> None:
    fates.extend(worker.analyse(number) for number in numbers)
    worker.stop()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_damaged_files_end_well(tiny_model: Path, tiny_report: Path) -> None:
    """No crash, none over 10 s, no process above 1 GB, and no error without a name."""
    wholes, fates = whole_files(), list[Fate]()
    numbers = iter(range(FILES))
    threads = [
        threading.Thread(
            target=_run, args=(numbers, _Worker(tiny_model, tiny_report, wholes), fates)
        )
        for _ in range(PROCESSES)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    print(Counter(fate.outcome for fate in fates))
    print(
        f"slowest {max(f.seconds for f in fates):.2f} s, peak {max(f.peak_mib for f in fates):.0f} MiB"
    )
    assert set(range(FILES)) == {fate.number for fate in fates}
    assert [] == [fate for fate in fates if not fate.is_allowed]
    assert [] == [fate for fate in fates if fate.seconds > MAX_SECONDS or fate.peak_mib > MAX_MIB]
    assert 5 <= len({fate.outcome for fate in fates})


def test_damage_is_reproducible_and_of_every_kind() -> None:
    """The same number gives the same bytes; each way of damaging changes some file."""
    wholes = [bytes(range(256)) * 8, b"other" * 50]

    assert [mutant(n, wholes, 1) for n in range(20)] == [mutant(n, wholes, 1) for n in range(20)]
    assert len(MUTATIONS) >= 6
    assert 15 < len({mutant(n, wholes, 1) for n in range(20)} - set(wholes))
