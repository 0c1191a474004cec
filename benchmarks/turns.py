"""Times several ways of doing the same in turns, so that whatever else the machine does hits all alike."""

import time
from collections.abc import Callable, Mapping
from statistics import median


def in_turns(ways: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Median seconds of each way over `rounds` turns, after one turn that is not counted.

    Every other round goes backwards, so that no way always follows the same one.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name in list(ways) if number % 2 else reversed(list(ways)):
            started = time.perf_counter()
            ways[name]()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return {name: median(values) for name, values in seconds.items()}
