"""A process that analyses damaged files one after the other, and tells what became of each."""

import tempfile
import time
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.fresh import peak_mib
from detector.analysis import Detector
from detector.errors import DetectorError
from tests.fuzz.mutations import mutant


@dataclass(frozen=True)
class Fate:
    """What became of one file: a verdict, the code of an error, or the text of one that must not be."""

    number: int
    outcome: str
    is_allowed: bool
    seconds: float
    peak_mib: float
    """Of the process until now."""


def work(connection: Connection, model: Path, report: Path, wholes: list[bytes], seed: int) -> None:
    """Receive the number of a file, send its Fate, until None comes."""
    warnings.simplefilter("ignore")
    detector = Detector.load(model, report, threads=1)
    with tempfile.NamedTemporaryFile() as file:
        while (number := connection.recv()) is not None:
            path = Path(file.name)
            path.write_bytes(mutant(number, wholes, seed))
            started = time.perf_counter()
            outcome, is_allowed = _analyse(detector, path)
            seconds = time.perf_counter() - started
            connection.send(Fate(number, outcome, is_allowed, seconds, peak_mib()))


def _analyse(detector: Detector, path: Path) -> tuple[str, bool]:
    try:
        return str(detector.analyze_file(path).verdict), True
    except DetectorError as error:
        return error.code, True
    except Exception as error:  # whatever comes out is what the test looks for
        return repr(error), False
