"""A whole stage, deployed by the CDK's command line on an emulated AWS."""

import re
from collections.abc import Iterator

import boto3
import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from infra import smoke
from static_site.formats import ENGLISH
from tests.deployed.emulator import REGION
from tests.deployed.stage import Stage
from tests.images import plain_image
from tests.site.running import launch_chromium
from tests.videos import encode, steady

pytestmark = [
    pytest.mark.container,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


def test_smoke(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """`make smoke URL=…` finds site, preflight, detection, upload, job, deletion and message in order."""
    status = smoke.main([stage.outputs["SiteUrl"]])
    said = capsys.readouterr().out

    assert [f"ok    {check.__name__}" for check in smoke.CHECKS] == said.splitlines(), said
    assert 0 == status


def test_nothing_changes_when_nothing_changed(stage: Stage) -> None:
    """To deploy the same again would do nothing."""
    assert "There were no differences" in stage.cdk("diff", "Asli-dev")


def test_a_form_takes_only_what_it_was_signed_for(stage: Stage) -> None:
    """The bucket refuses a larger file than was announced, and says so to the browser."""
    data = plain_image("PNG")
    api = stage.outputs["ApiUrl"]
    wanted = {"content_type": "image/png", "bytes": len(data)}
    ticket = httpx.post(f"{api}/v1/uploads", json=wanted, timeout=60).json()
    assert f".s3.{REGION}.amazonaws.com" in ticket["url"]

    files = {"file": data + bytes(30_000_000)}
    answer = httpx.post(ticket["url"], data=ticket["fields"], files=files, timeout=60)
    assert (400, True) == (answer.status_code, "EntityTooLarge" in answer.text)


def test_a_message_reaches_table_and_operators(stage: Stage) -> None:
    """What a visitor writes is kept, and goes out to whoever reads the topic."""
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    (topic,) = (each["TopicArn"] for each in sns.list_topics()["Topics"])
    inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    try:
        body = {"kind": "question", "text": "Is anybody there?", "email": "me@example.org"}
        answer = httpx.post(f"{stage.outputs['ApiUrl']}/v1/messages", json=body, timeout=60)
        assert 201 == answer.status_code, answer.text
        received = sqs.receive_message(QueueUrl=inbox, WaitTimeSeconds=10)["Messages"]
    finally:
        sqs.delete_queue(QueueUrl=inbox)

    assert "Is anybody there?" in received[0]["Body"]
    assert answer.json()["reference"] in received[0]["Body"]


@pytest.fixture
def browser(stage: Stage) -> Iterator[Browser]:
    """Chromium, for which AWS's names lead to this machine as well."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright, *stage.emulator.for_chromium)
        yield browser
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["image/jpeg", "video/webm"])
def test_in_a_browser(stage: Stage, browser: Browser, photo_jpeg: bytes, kind: str) -> None:
    """The page reads config.json and breaks no rule on the way: an image goes to the API's own origin, a video to
    the bucket's, from where the worker takes it.
    """
    is_video = kind.startswith("video/")
    content = encode(steady(5, size=(320, 240)), "webm") if is_video else photo_jpeg
    context = browser.new_context(base_url=stage.outputs["SiteUrl"])
    context.set_default_timeout(60_000)
    page = context.new_page()
    faults: list[str] = []
    asked: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.on(
        "response",
        lambda answer: faults.append(f"{answer.status} {answer.url}") if not answer.ok else None,
    )

    page.goto(ENGLISH.address("detect"))
    page.set_input_files(
        "#file", {"name": kind.replace("/", "."), "mimeType": kind, "buffer": content}
    )
    page.click("#check")
    expect(page.locator("#verdict, .error-summary:visible").first).to_be_visible(timeout=180_000)

    assert [] == faults
    expect(page.locator("#verdict")).to_be_visible()
    api = stage.outputs["ApiUrl"].removesuffix(":443")
    assert any(re.search(r"/config\.json$", url) for url in asked)
    assert f"{api}/v1/detections" in asked
    form = f"https://{stage.outputs['MediaBucket']}.s3.{REGION}.amazonaws.com/"
    assert is_video == any(url.startswith(form) for url in asked)
    context.close()
