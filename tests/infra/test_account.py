"""What an operator is told before anything is deployed."""

import pytest
from moto import mock_aws

from infra.account import main


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No profile and no credentials, whoever runs the tests."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_a_region_has_to_be_chosen() -> None:
    """One sentence says how."""
    with pytest.raises(SystemExit, match="No region is chosen"):
        main()


def test_credentials_have_to_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any, the cause is named."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    with pytest.raises(SystemExit, match="does not accept your credentials: Unable to locate"):
        main()


def test_the_account_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the deployment goes, before it goes there."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        main()

    assert "Account 123456789012, region eu-west-1\n" == capsys.readouterr().out
