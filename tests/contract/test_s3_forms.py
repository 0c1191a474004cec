"""The forms for S3. No server here enforces them; so every condition is read from the signed policy."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from lambda_api.adapters.s3 import S3BlobStore
from lambda_api.jobs import media_key, new_job_id
from lambda_api.ports import UploadForm

LIFETIME = timedelta(seconds=300)


@pytest.fixture(params=["us-east-1", "eu-west-1"])
def region(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Signing needs no server, only a region and some credentials."""
    name: str = request.param
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for key, value in (
        ("AWS_DEFAULT_REGION", name),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
    ):
        monkeypatch.setenv(key, value)
    return name


@pytest.fixture
def key() -> str:
    return media_key(new_job_id())


@pytest.fixture
def form(region: str, key: str) -> UploadForm:
    del region  # is in the environment
    return S3BlobStore.connect("uploads-example").upload_form(
        key, content_type="image/jpeg", max_bytes=1234, lifetime=LIFETIME
    )


def _policy(form: UploadForm) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(base64.b64decode(form.fields["policy"]))
    return policy


def test_host_is_the_regions_own(form: UploadForm, region: str) -> None:
    """A browser is never redirected: the host is the bucket's in its region."""
    assert f"https://uploads-example.s3.{region}.amazonaws.com/" == form.url


def test_signature_is_version_four(form: UploadForm) -> None:
    """The form is signed in the way that all regions accept."""
    assert "AWS4-HMAC-SHA256" == form.fields["x-amz-algorithm"]
    assert "AWSAccessKeyId" not in form.fields


def test_policy_fixes_key_type_and_size(form: UploadForm, key: str) -> None:
    """Exactly this key and type, 1 to 1,234 bytes; each other condition is about the signature."""
    conditions = _policy(form)["conditions"]
    plain = [each for each in conditions if "amz" not in str(each)]

    assert {"bucket": "uploads-example"} in plain
    assert {"key": key} in plain
    assert {"Content-Type": "image/jpeg"} in plain
    assert ["content-length-range", 1, 1234] in plain
    assert 4 == len(plain)
    assert not [each for each in conditions if isinstance(each, list) and "starts-with" in each]


def test_policy_ends_after_five_minutes(form: UploadForm) -> None:
    """The form is refused from then on."""
    expiration = datetime.fromisoformat(_policy(form)["expiration"])
    signed_at = datetime.fromisoformat(form.fields["x-amz-date"])

    assert LIFETIME - timedelta(seconds=5) < expiration - signed_at <= LIFETIME


def test_every_field_is_in_the_policy(form: UploadForm) -> None:
    """No field can be changed without breaking the signature."""
    named = {
        name for each in _policy(form)["conditions"] if isinstance(each, dict) for name in each
    }

    assert set(form.fields) - {"policy", "x-amz-signature"} <= named
