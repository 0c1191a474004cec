from pathlib import Path

import pytest
from pydantic import ValidationError

from lambda_api.settings import CloudSettings, Settings


def test_defaults() -> None:
    """Without any environment no other origin is allowed and results live for a day."""
    settings = Settings()

    assert () == settings.allowed_origins
    assert 24 == settings.result_ttl_hours
    assert settings.site_dir is None
    assert "resnet50.onnx" == settings.model_path.name


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables with the prefix are read; origins are separated by commas."""
    monkeypatch.setenv("ASLI_DATA_DIR", "/var/lib/asli")
    monkeypatch.setenv("ASLI_ALLOWED_ORIGINS", "https://a.example, http://localhost:8000,")
    monkeypatch.setenv("ASLI_MAX_CONCURRENT_ANALYSES", "3")
    settings = Settings()

    assert Path("/var/lib/asli") == settings.data_dir
    assert ("https://a.example", "http://localhost:8000") == settings.allowed_origins
    assert 3 == settings.max_concurrent_analyses


@pytest.mark.parametrize(
    "origin", ["*", "https://a.example/", "https://a.example/path", "a.example", "null"]
)
def test_what_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    """An entry that no browser would ever send is a mistake, and is quoted."""
    monkeypatch.setenv("ASLI_ALLOWED_ORIGINS", origin)
    with pytest.raises(ValidationError) as caught:
        Settings()

    assert repr(origin) in str(caught.value)


def test_cloud_settings_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bucket, table and queue are given together or not at all."""
    assert Settings().cloud is None
    monkeypatch.setenv("ASLI_MEDIA_BUCKET", "bucket")
    monkeypatch.setenv("ASLI_JOBS_TABLE", "table")
    with pytest.raises(ValidationError, match="go together"):
        Settings()
    monkeypatch.setenv("ASLI_QUEUE_URL", "https://queue.example/")

    cloud = CloudSettings(
        media_bucket="bucket", jobs_table="table", queue_url="https://queue.example/"
    )
    assert cloud == Settings().cloud


def test_every_setting_is_described() -> None:
    """Each field says what it is for."""
    assert [] == [name for name, field in Settings.model_fields.items() if not field.description]
