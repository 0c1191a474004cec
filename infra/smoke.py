"""Checks a deployed stage from outside, as a visitor's browser uses it: `python -m infra.smoke URL`."""

import argparse
import io
import sys
import time
from collections.abc import Callable, Sequence
from functools import cached_property

import httpx
from PIL import Image

JOB_DEADLINE_SECONDS = 180
VERDICTS = {"likely_ai", "inconclusive", "no_ai_signs_found", "not_applicable"}


class Failed(Exception):
    """A check that does not hold, and why."""


class Stage:
    """A site and the API that its config.json names."""

    def __init__(self, url: str, client: httpx.Client) -> None:
        self.url = url.rstrip("/")
        self.client = client
        self.result: str | None = None
        self.job: str | None = None

    @cached_property
    def api(self) -> str:
        """The API's address. An empty one means: where the site is."""
        address: str = self.expect(200, "GET", f"{self.url}/config.json").json()["api"]
        return address or self.url

    def expect(self, status: int, method: str, url: str, **options: object) -> httpx.Response:
        """The answer, which must have this status."""
        response = self.client.request(method, url, **options)  # type: ignore[arg-type]
        if response.status_code != status:
            said = response.text[:200].replace("\n", " ")
            raise Failed(f"{method} {url} answered {response.status_code}, not {status}: {said}")
        return response


def site(stage: Stage) -> None:
    """The first page comes with its security headers."""
    answer = stage.expect(200, "GET", f"{stage.url}/")
    for header in ("content-security-policy", "x-content-type-options", "referrer-policy"):
        if header not in answer.headers:
            raise Failed(f"{stage.url}/ comes without the header {header}")


def preflight(stage: Stage) -> None:
    """Scripts of the site may call the API, and those of other sites may not."""
    for origin, allowed in ((stage.url, True), ("https://elsewhere.example", False)):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = stage.client.options(f"{stage.api}/v1/detections", headers=headers)
        answered = answer.headers.get("access-control-allow-origin") == origin
        if stage.api != stage.url and answered != allowed:
            raise Failed(f"the API answers {origin} with {dict(answer.headers)}")


def detection(stage: Stage) -> None:
    """A small image gets a verdict."""
    files = {"file": ("image", sample())}
    result = stage.expect(200, "POST", f"{stage.api}/v1/detections", files=files).json()
    if result["verdict"] not in VERDICTS:
        raise Failed(f"the verdict is {result['verdict']!r}")
    stage.result = result["id"]


def upload(stage: Stage) -> None:
    """A signed form takes a file."""
    data = sample()
    body = {"content_type": "image/png", "bytes": len(data)}
    ticket = stage.expect(201, "POST", f"{stage.api}/v1/uploads", json=body).json()
    url = httpx.URL(stage.api).join(ticket["url"])
    answer = stage.client.post(url, data=ticket["fields"], files={"file": data})
    if not answer.is_success:
        raise Failed(f"the form's address answered {answer.status_code}: {answer.text[:200]}")
    stage.job = ticket["upload_id"]


def job(stage: Stage) -> None:
    """A worker analyses the upload and deletes it."""
    if stage.job is None:
        raise Failed("nothing was uploaded")
    stage.expect(202, "POST", f"{stage.api}/v1/detections", json={"upload_id": stage.job})
    deadline = time.monotonic() + JOB_DEADLINE_SECONDS
    while time.monotonic() < deadline:
        result = stage.expect(200, "GET", f"{stage.api}/v1/detections/{stage.job}").json()
        if result["status"] == "failed":
            raise Failed(f"the job failed: {result}")
        if result["status"] == "succeeded" and result["media"]["media_deleted_at"]:
            return
        time.sleep(1)
    raise Failed(f"the job was still {result['status']} after {JOB_DEADLINE_SECONDS} s")


def deletion(stage: Stage) -> None:
    """What is deleted is gone."""
    ids = [each for each in (stage.result, stage.job) if each]
    if not ids:
        raise Failed("there is no result to delete")
    for each in ids:
        stage.expect(204, "DELETE", f"{stage.api}/v1/detections/{each}")
        stage.expect(410, "GET", f"{stage.api}/v1/detections/{each}")


def message(stage: Stage) -> None:
    """What a visitor writes is taken; whoever runs the stage gets this one as mail."""
    body = {"kind": "message", "text": "A check of the deployed stage; no answer is needed."}
    answer = stage.expect(201, "POST", f"{stage.api}/v1/messages", json=body).json()
    if not answer["reference"]:
        raise Failed(f"the message has no reference: {answer}")


CHECKS: tuple[Callable[[Stage], None], ...] = (
    site,
    preflight,
    detection,
    upload,
    job,
    deletion,
    message,
)


def sample() -> bytes:
    """A PNG of noise, so that nothing in it is anybody's."""
    buffer = io.BytesIO()
    Image.effect_noise((320, 320), 50).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def check(stage: Stage) -> int:
    """Print a line for each check; returns how many do not hold."""
    failures = 0
    for each in CHECKS:
        try:
            each(stage)
        except (Failed, httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError) as error:
            failures += 1
            print(f"FAIL  {each.__name__}: {str(error) or type(error).__name__}")
        else:
            print(f"ok    {each.__name__}")
    return failures


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when everything holds, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m infra.smoke", description=__doc__)
    parser.add_argument("url", help="of the site")
    options = parser.parse_args(arguments)
    with httpx.Client(timeout=35, follow_redirects=True) as client:
        return 1 if check(Stage(options.url, client)) else 0


if __name__ == "__main__":
    sys.exit(main())
