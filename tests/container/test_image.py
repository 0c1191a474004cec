"""What is in the image, and what it does when Lambda calls it."""

import io
import json
import statistics
from pathlib import Path

import httpx
import pytest
from PIL import Image

from lambda_api.services import MAX_UPLOAD_BYTES
from tests.apps import PROBLEM
from tests.container.functions import (
    API,
    BASE,
    CORE_MB,
    Function,
    docker,
    gateway_event,
    running,
    size_bytes,
)
from tests.images import padded_png
from tests.metadata import saved_with
from tests.signing import MADE, sign

pytestmark = [pytest.mark.container, pytest.mark.slow, pytest.mark.timeout(900)]

MAX_ADDED_BYTES = 250_000_000
ROUNDS = 3
MEASUREMENTS = 3
HELLO = """\
from fastapi import FastAPI
from mangum import Mangum

app = FastAPI()


@app.get("/")
def hello() -> dict[str, str]:
    return {"hello": "world"}


handler = Mangum(app, lifespan="off")
"""


def inside(image: str, program: str, *options: str) -> str:
    """What a program prints that runs in the image, with its user and without a network."""
    return docker(
        *("run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", *options),
        *("--entrypoint", "python", image, "-c", program),
    ).stdout


def test_size(image: str) -> None:
    """The service adds at most 250 MB to AWS's base image, uncompressed."""
    added = size_bytes(image) - size_bytes(BASE)
    print(f"added to the base image: {added / 1e6:.0f} MB")

    assert added <= MAX_ADDED_BYTES


def test_holds_what_it_needs(image: str) -> None:
    """The model is inside; torch, the command line's tables and other packages of ours are not."""
    program = (
        "import importlib.util as u, json, os, detector.analysis as a; print(json.dumps(["
        "a.MODEL_PATH.exists(), os.getuid(), [n for n in ('torch', 'rich', 'training', 'infra', 'tests') "
        "if u.find_spec(n)]]))"
    )

    assert [True, 10001, []] == json.loads(inside(image, program))


def test_has_no_cache_of_its_own(image: str) -> None:
    """What pip keeps for the next time, which only root sees, is what AWS's base image has already."""
    count = "from pathlib import Path; print(len([*Path('/root/.cache').rglob('*')]))"

    assert inside(BASE, count, "--user", "0") == inside(image, count, "--user", "0")


def test_image_in_verdict_out(api: Function, photo_jpeg: bytes) -> None:
    """A photograph that came through the gateway is judged; the result can be read again and deleted."""
    answer = api.detect(photo_jpeg)

    assert 200 == answer.status_code, answer.text
    result = answer.json()
    assert result["verdict"] in {"likely_ai", "inconclusive", "no_ai_signs_found", "not_applicable"}
    assert len(photo_jpeg) == result["media"]["bytes"]
    path = f"/v1/detections/{result['id']}"
    assert result["verdict"] == api.request("GET", path).json()["verdict"]
    assert 204 == api.request("DELETE", path).status_code
    assert 410 == api.request("GET", path).status_code


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "heic"])
def test_formats(api: Function, name: str) -> None:
    """What the image leaves out is missed by no format, nor by the check of its signature."""
    image = saved_with("HEIF" if name == "heic" else name.upper())
    answer = api.detect(sign(image, MADE, media_type=f"image/{name}"))

    assert 200 == answer.status_code, answer.text
    result = answer.json()
    assert (name, "valid_untrusted") == (result["media"]["format"], result["provenance"]["state"])


def test_largest_request(api: Function) -> None:
    """A file of exactly 4 MiB passes the gateway's base64 and is judged."""
    answer = api.detect(padded_png(MAX_UPLOAD_BYTES))

    assert 200 == answer.status_code, answer.text


def test_larger_is_refused_by_the_app(api: Function) -> None:
    """One byte more is answered by the app itself, with its limit."""
    answer = api.detect(padded_png(MAX_UPLOAD_BYTES + 1))

    assert (413, PROBLEM) == (answer.status_code, answer.headers["content-type"])
    problem = answer.json()
    assert ("file_too_large", MAX_UPLOAD_BYTES) == (problem["code"], problem["limit"])


def test_unknown_path_is_a_problem(api: Function) -> None:
    """The gateway hands over every path, and the app answers for each."""
    answer = api.request("GET", "/nothing")

    assert (404, PROBLEM) == (answer.status_code, answer.headers["content-type"])


def test_timeout_ends_the_invocation(image: str, tmp_path: Path, photo_jpeg: bytes) -> None:
    """A function that takes too long is ended by Lambda, and answers the next event again."""
    slow = tmp_path / "slow.py"
    slow.write_text(
        "import time\nfrom lambda_api.entrypoints import api\n\n"
        "def handler(event, context):\n"
        "    if event['rawPath'] == '/slow':\n        time.sleep(60)\n"
        "    return api.handler(event, context)\n"
    )
    slow.chmod(0o644)
    with running(
        image, "slow.handler", timeout_seconds=10, mount={slow: "/var/task/slow.py"}
    ) as function:
        event = gateway_event(httpx.Request("GET", "https://api.example/slow"))
        ended = httpx.post(function.url, json=event, timeout=60)
        assert "Task timed out after 10" in ended.text

        assert 200 == function.detect(photo_jpeg).status_code


def test_twenty_megapixels_fit_into_one_core_s_memory(image: str) -> None:
    """At 1,769 MB, the largest photograph that fits into a request is judged."""
    noise = Image.effect_noise((1368, 912), 40).convert("RGB").resize((5472, 3648))
    buffer = io.BytesIO()
    noise.save(buffer, "JPEG", quality=60)
    assert len(buffer.getvalue()) <= MAX_UPLOAD_BYTES
    with running(image, API, memory_mb=CORE_MB) as function:
        answer = function.detect(buffer.getvalue())

        assert 200 == answer.status_code, answer.text
        assert 5472 == answer.json()["media"]["width"]


def starts(image: str, hello: Path, photo_jpeg: bytes) -> tuple[float, float, float, float]:
    """Median milliseconds in which a bare function and ours start, and ours loads its libraries and its model."""
    inits: dict[str, list[float]] = {"hello": [], "service": []}
    loads: list[list[float]] = []
    warm = 0.0
    for _ in range(ROUNDS):
        with running(image, "hello.handler", mount={hello: "/var/task/hello.py"}) as function:
            assert {"hello": "world"} == function.request("GET", "/").json()
            inits["hello"].append(function.init_ms)
        with running(image, API) as function:
            function.detect(photo_jpeg)
            inits["service"].append(function.init_ms)
            function.detect(photo_jpeg)
            warm = function.billed_ms
        loads.append(json.loads(inside(image, LOADING)))
    bare, ours = (statistics.median(inits[name]) for name in ("hello", "service"))
    libraries, model = map(statistics.median, zip(*loads, strict=True))
    print(f"init: bare {bare:.0f} ms, service {ours:.0f} ms, ", end="")
    print(f"of it libraries {libraries:.0f} ms and model {model:.0f} ms")
    print(f"warm detection, billed: {warm:.0f} ms")
    return bare, ours, libraries, model


def test_start(image: str, tmp_path: Path, photo_jpeg: bytes) -> None:
    """To start takes less than 1.8 times a bare FastAPI with Mangum, and to load the model and its libraries.

    Measured again, twice at most, where other work on the machine may have spoilt it.
    """
    hello = tmp_path / "hello.py"
    hello.write_text(HELLO)
    hello.chmod(0o644)
    for _ in range(MEASUREMENTS):
        bare, ours, libraries, model = starts(image, hello, photo_jpeg)
        if ours < 1.8 * bare + libraries + model:
            break
    assert ours < 1.8 * bare + libraries + model


LOADING = """\
import time
times = [time.perf_counter()]
from detector.analysis import Detector
times.append(time.perf_counter())
Detector.load()
times.append(time.perf_counter())
print([(end - start) * 1000 for start, end in zip(times, times[1:])])
"""
