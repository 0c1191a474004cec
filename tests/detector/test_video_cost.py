"""What long and large videos cost, on the command line and with the shipped model."""

from pathlib import Path

import psutil
import pytest
from PIL import Image
from skimage import data

from tests.processes import Measured, measured_detect
from tests.speed import slowness
from tests.videos import encode, panned, repeated

pytestmark = [pytest.mark.model, pytest.mark.slow]

MAX_MEMORY_BYTES = 700_000_000
MAX_SECONDS = 20.0
CORES = 2
OTHERS_PERCENT = 20
"""What other programs take of the processors where seconds on a clock still say something."""
MAX_GROWTH = 1.1

HD, UHD = (1920, 1080), (3840, 2160)


def _measured(
    folder: Path, size: tuple[int, int], *, seconds: int, rate: int, times: int
) -> Measured:
    """A clip of some seconds, so many times in a row."""
    photograph = Image.fromarray(data.astronaut())
    clip = encode(panned(photograph, seconds, size, rate=rate), rate=rate)
    path = folder / f"{times}.mp4"
    path.write_bytes(repeated(clip, times))
    measured = measured_detect(path)
    print(f"{size[0]} x {size[1]}, {seconds * times} s: {measured}")
    assert measured.analysis["analysed_seconds"] == pytest.approx(seconds * times, abs=0.5)
    return measured


def test_a_minute_of_hd_takes_at_most_twenty_seconds_on_two_cores(tmp_path: Path) -> None:
    """60 frames of 1,800 are scored; by the clock only where no other programs keep the cores busy.

    A slower machine may take longer, as much as its scores do.
    """
    is_quiet = psutil.cpu_percent(interval=1) < OTHERS_PERCENT
    measured = _measured(tmp_path, HD, seconds=2, rate=30, times=30)

    assert 60 == len(measured.analysis["frames"])
    limit = MAX_SECONDS * slowness()
    assert measured.cpu_seconds <= CORES * limit
    assert measured.seconds <= limit or not is_quiet
    assert measured.peak_bytes < MAX_MEMORY_BYTES


def test_memory_does_not_grow_with_the_length_of_a_4k_video(tmp_path: Path) -> None:
    """Ten seconds take as much as twenty: frames are let go as soon as their crops are cut."""
    short, long = (_measured(tmp_path, UHD, seconds=2, rate=10, times=times) for times in (5, 10))

    assert long.peak_bytes < MAX_MEMORY_BYTES
    assert long.peak_bytes <= MAX_GROWTH * short.peak_bytes
