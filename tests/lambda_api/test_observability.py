"""What is logged and counted, and that no content is among it."""

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detector.analysis import Detector
from lambda_api.adapters.emf import EmfMetrics
from lambda_api.observability import log_as_json
from tests.apps import Caller, EmbeddedService, build_app
from tests.fakes import BrokenDetector
from tests.images import plain_image
from tests.metadata import exif, jpeg_with
from tests.videos import encode, steady

FILE_NAME = "zanzibar-honeymoon.jpg"
TEXT = "My neighbour Wilhelmina is a suspicious person."
EMAIL = "wilhelmina@secret-place.example"
ADDRESS = "203.0.113.77"
KEY = f"asli_{'0' * 12}_{'S' * 43}"
INSIDE = "CameraOfWilhelmina"

MARKERS = (
    "zanzibar",
    "honeymoon",
    "Wilhelmina",
    "wilhelmina",
    "secret-place",
    ADDRESS,
    "S" * 43,
    "secret of /srv",
)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the service writes, set up as its entry points do, with its own loggers at their chattiest."""
    root, ours = logging.getLogger(), logging.getLogger("lambda_api")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    stream = io.StringIO()
    log_as_json(stream)
    ours.setLevel(logging.DEBUG)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def _requests(log: io.StringIO) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["message"] == "request"]


def _image() -> bytes:
    return jpeg_with(plain_image("JPEG", (300, 300), 250), exif=exif(software=INSIDE))


def _use_everything(call: Caller, headers: dict[str, str]) -> list[str]:
    """Every path, in good ways and bad ones, full of markers. Gives the ids that came back."""
    image = _image()

    def post(path: str, **request: Any) -> Any:
        return call("POST", path, headers=headers, **request)

    result = post("/v1/detections", files={"file": (FILE_NAME, image)}).json()
    path = f"/v1/detections/{result['id']}"
    for data in (b"", FILE_NAME.encode(), b"\x89PNG\r\n\x1a\n" + TEXT.encode(), image[:200]):
        post("/v1/detections", files={"file": (FILE_NAME, data)})
    post(f"/v1/detections?name={FILE_NAME}", content=TEXT.encode())
    post("/v1/detections", content=b"", extensions={})
    message = {"kind": "question", "text": TEXT, "email": EMAIL}
    reference = post("/v1/messages", json=message).json()["reference"]
    for wrong in ({**message, "kind": TEXT}, {**message, TEXT: TEXT}, {**message, "email": TEXT}):
        post("/v1/messages", json=wrong)
    post(f"{path}/feedback", json={"label": "other"})
    form = {"label": "other", "keep_media": "true"}
    post(f"{path}/feedback", data=form, files={"file": (FILE_NAME, image)})
    post(f"{path}/feedback", json={"label": TEXT})
    post("/v1/uploads", json={"filename": FILE_NAME, "content_type": TEXT, "bytes": 5})
    call("POST", "/v1/messages", json=message, headers={"authorization": f"Bearer {KEY}"})
    for method in ("GET", "DELETE", "GET"):
        call(method, path, headers=headers)
        call(method, f"{path}/heatmap", headers=headers)
    call("GET", f"/v1/{FILE_NAME}", headers=headers)
    call("GET", f"/v1/detections/{FILE_NAME}", headers=headers)
    call("WILHELMINA", "/v1/limits", headers=headers)
    for name in ("limits", "model", "healthz", "readyz", "metrics", "openapi.json"):
        call("GET", f"/v1/{name}", headers=headers)
    assert reference
    return [result["id"]]


def _upload(service: EmbeddedService, headers: dict[str, str]) -> list[str]:
    """Files full of markers as jobs, good ones and bad ones, brought to their ends. Gives their ids."""
    call = Caller(service.app(proxies=1))
    ids = []
    video = encode(steady(3, 200), "webm")
    for data in (_image(), TEXT.encode(), video, video[:2000] + TEXT.encode()):
        wanted = {"content_type": "application/octet-stream", "bytes": len(data)}
        ticket = call("POST", "/v1/uploads", json=wanted, headers=headers).json()
        ids.append(ticket["upload_id"])
        file = {"file": (FILE_NAME, data)}
        for fields in ({**ticket["fields"], "key": FILE_NAME}, ticket["fields"], ticket["fields"]):
            call("POST", ticket["url"], data=fields, files=file, headers=headers)
        submission = {"upload_id": ticket["upload_id"]}
        call("POST", "/v1/detections", json=submission, headers=headers)
    service.work()
    ends = [call("GET", f"/v1/detections/{job_id}").json()["status"] for job_id in ids]
    assert {"succeeded", "failed"} >= set(ends)
    return ids


def test_the_log_holds_no_content(
    tiny_detector: Detector, tmp_path: Path, log: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """Over a run through API and worker, failures included, no planted marker and no id is logged."""
    headers = {
        "x-forwarded-for": ADDRESS,
        "user-agent": f"Wilhelmina {EMAIL}",
        "referer": f"https://asli.test/{FILE_NAME}",
    }
    call = Caller(build_app(tiny_detector, tmp_path / "a", proxies=1))
    ids = _use_everything(call, headers)
    ids += _upload(EmbeddedService(tiny_detector, tmp_path / "c"), headers)
    ids += _upload(EmbeddedService(BrokenDetector(tiny_detector), tmp_path / "d"), headers)
    broken = Caller(build_app(BrokenDetector(tiny_detector), tmp_path / "b"))
    files = {"file": (FILE_NAME, TEXT.encode())}
    assert 500 == broken("POST", "/v1/detections", files=files, headers=headers).status_code

    written = log.getvalue() + "".join(capfd.readouterr())
    assert len(_requests(log)) > 70
    assert "An attempt at a job failed" in log.getvalue()
    assert [] == [marker for marker in (*MARKERS, *ids) if marker in written]


def test_markers_would_be_found(log: io.StringIO) -> None:
    """The search itself works: a careless line is caught."""
    logging.getLogger("lambda_api.careless").info("Received %s", FILE_NAME)

    assert any(marker in log.getvalue() for marker in MARKERS)


def test_a_request_is_one_line(call: Caller, log: io.StringIO) -> None:
    """With the id that the caller got, the route instead of the path, status and time."""
    answer = call("GET", "/v1/detections/det_AAAAAAAAAAAAAAAAAAAAAAAA")
    (line,) = _requests(log)

    assert answer.headers["x-request-id"] == line["request_id"]
    assert ("GET", "/v1/detections/{detection_id}", 404) == (
        line["method"],
        line["route"],
        line["status"],
    )
    assert line["ms"] >= 0
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])


def test_a_form_has_its_route_too(call: Caller, log: io.StringIO) -> None:
    """Although an app of its own takes it: whatever comes of it is counted under its path."""
    image = plain_image("PNG")
    wanted = {"content_type": "image/png", "bytes": len(image)}
    ticket = call("POST", "/v1/uploads", json=wanted).json()
    for _ in range(2):
        call("POST", ticket["url"], data=ticket["fields"], files={"file": ("a.png", image)})
    call("GET", ticket["url"])

    assert [("POST", 204), ("POST", 403), ("GET", 405)] == [
        (line["method"], line["status"])
        for line in _requests(log)
        if line["route"] == "/v1/uploads/files"
    ]


def test_an_exception_says_where_but_not_what(
    tiny_detector: Detector, tmp_path: Path, log: io.StringIO
) -> None:
    """Its kind and its stack are logged with the request's id; its message, which may quote a file, is not."""
    call = Caller(build_app(BrokenDetector(tiny_detector), tmp_path))
    answer = call.detect(plain_image("PNG"))
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (failure,) = [line for line in lines if "exception" in line]

    assert "RuntimeError" == failure["exception"]
    assert answer.headers["x-request-id"] == failure["request_id"]
    assert any("fakes.py" in frame for frame in failure["stack"])
    assert "secret of" not in log.getvalue()


def test_metrics_count(call: Caller) -> None:
    """Answers by route and status, verdicts, refused files, and times, in Prometheus' text format."""
    call.detect(plain_image("PNG", (300, 300), 255))
    call.detect(plain_image("PNG", (300, 300), 0))
    call.detect(b"")
    answer = call("GET", "/v1/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'asli_requests_total{method="POST",route="/v1/detections",status="200"} 2.0' in lines
    assert 'asli_requests_total{method="POST",route="/v1/detections",status="422"} 1.0' in lines
    assert 'asli_verdicts_total{verdict="likely_ai"} 1.0' in lines
    assert 'asli_verdicts_total{verdict="no_ai_signs_found"} 1.0' in lines
    assert 'asli_refused_files_total{code="empty_file"} 1.0' in lines
    assert "asli_analysis_seconds_count 2.0" in lines


def test_unknown_paths_are_one_label(call: Caller) -> None:
    """Whoever tries a thousand paths does not make a thousand counters."""
    for n in range(20):
        call("GET", f"/v1/{n}")
        call(f"M{n}", "/v1/limits")

    text = call("GET", "/v1/metrics").text
    assert 'asli_requests_total{method="GET",route="unmatched",status="404"} 20.0' in text
    assert 'method="M' not in text


def test_embedded_metric_format() -> None:
    """Each event is one line that names its metrics, their units and their dimensions."""
    stream = io.StringIO()
    metrics = EmfMetrics(stream)
    metrics.answered("POST", "/v1/detections", 503, 0.25)
    metrics.analysed("likely_ai", 0.5)
    metrics.refused("empty_file")
    answered, analysed, refused = (json.loads(line) for line in stream.getvalue().splitlines())

    assert (1, 0, 1, 250.0) == tuple(
        answered[name] for name in ("Requests", "ClientErrors", "ServerErrors", "Latency")
    )
    assert "POST /v1/detections" == answered["Route"]
    assert ("likely_ai", 500.0) == (analysed["Verdict"], analysed["AnalysisTime"])
    assert ("empty_file", 1) == (refused["Code"], refused["RefusedFiles"])
    for line in (answered, analysed, refused):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert "Asli" == directive["Namespace"]
        assert {name for group in directive["Dimensions"] for name in group} <= set(line)
        assert {metric["Name"] for metric in directive["Metrics"]} <= set(line)
        units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
        assert all(
            unit == ("Milliseconds" if name in {"Latency", "AnalysisTime"} else "Count")
            for name, unit in units.items()
        )
