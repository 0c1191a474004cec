import asyncio
from pathlib import Path
from typing import Any

import pytest

from detector.analysis import Detector
from lambda_api.errors import Busy
from lambda_api.gate import AnalysisGate
from tests.apps import PROBLEM, build_app, session
from tests.fakes import WaitingDetector
from tests.images import plain_image

FILES = {"file": ("a.png", plain_image("PNG"))}


def test_only_so_many_analyses_run_at_once(tiny_detector: Detector, tmp_path: Path) -> None:
    """Of five images sent together two are analysed at a time, and all are answered."""
    detector = WaitingDetector(tiny_detector)
    app = build_app(detector, tmp_path, places=2)

    async def send_together() -> list[int]:
        async with session(app) as client:
            posts = [
                asyncio.create_task(client.post("/v1/detections", files=FILES)) for _ in range(5)
            ]
            while detector.running < 2:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            detector.release.set()
            return [response.status_code for response in await asyncio.gather(*posts)]

    assert [200] * 5 == asyncio.run(send_together())
    assert 2 == detector.most_running


def test_waiting_ends_with_busy(tiny_detector: Detector, tmp_path: Path) -> None:
    """Who waits too long is told when to come back, and other paths answer meanwhile."""
    detector = WaitingDetector(tiny_detector)
    app = build_app(detector, tmp_path, places=1, wait_seconds=0.05)

    async def send_together() -> tuple[Any, Any, Any]:
        async with session(app) as client:
            first = asyncio.create_task(client.post("/v1/detections", files=FILES))
            while detector.running < 1:
                await asyncio.sleep(0.01)
            second = await client.post("/v1/detections", files=FILES)
            health = await client.get("/v1/healthz")
            detector.release.set()
            return await first, second, health

    first, second, health = asyncio.run(send_together())

    assert [200, 503, 200] == [each.status_code for each in (first, second, health)]
    assert (PROBLEM, "busy") == (second.headers["content-type"], second.json()["code"])
    assert second.headers["retry-after"] == str(second.json()["retry_after"]) == "1"


def test_place_is_free_again_after_failure() -> None:
    """Work that raises gives its place back."""
    gate = AnalysisGate(1, wait_seconds=0.05)

    def fail() -> None:
        raise ValueError("no")

    async def run() -> str:
        with pytest.raises(ValueError, match="no"):
            await gate.run(fail)
        return await gate.run(lambda: "done")

    assert "done" == asyncio.run(run())


def test_gate_survives_its_event_loop() -> None:
    """One gate serves several event loops in turn, as a function's invocations need."""
    gate = AnalysisGate(1, wait_seconds=0.05)

    assert [1, 1] == [asyncio.run(gate.run(lambda: 1)) for _ in range(2)]


def test_busy_is_raised_without_place() -> None:
    """A full gate raises Busy."""

    async def run() -> None:
        gate = AnalysisGate(1, wait_seconds=0.02)
        release = asyncio.Event()

        async def hold() -> None:
            loop = asyncio.get_running_loop()
            await gate.run(lambda: asyncio.run_coroutine_threadsafe(release.wait(), loop).result())

        holder = asyncio.create_task(hold())
        await asyncio.sleep(0.02)
        with pytest.raises(Busy):
            await gate.run(lambda: None)
        release.set()
        await holder

    asyncio.run(run())
