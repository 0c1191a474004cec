"""`asli keys`: make, list and revoke."""

import json
import sys
from pathlib import Path

import pytest

from asli_cli.main import main
from lambda_api.bootstrap import build_key_store
from lambda_api.errors import KeyInvalid, KeyScopeMissing
from lambda_api.keys import key_of
from lambda_api.ports import KeyScope
from lambda_api.settings import Settings


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASLI_DATA_DIR", str(tmp_path))


def test_a_key_from_making_to_revoking(capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed once, opens what it is for, is listed without its secret, and can be taken back."""
    assert 0 == main(["keys", "create", "the newsroom"])
    text = capsys.readouterr().out.strip()
    keys = build_key_store(Settings())
    key = key_of(f"Bearer {text}", keys, scope=KeyScope.ANALYSE)
    assert key is not None
    with pytest.raises(KeyScopeMissing):
        key_of(f"Bearer {text}", keys, scope=KeyScope.MESSAGE)

    assert 0 == main(["keys", "list"])
    (line,) = capsys.readouterr().out.splitlines()
    listed = json.loads(line)
    assert (key.id, "the newsroom", ["analyse"], None) == (
        listed["id"],
        listed["name"],
        listed["scopes"],
        listed["revoked_at"],
    )
    assert text.split("_", 2)[2] not in line

    assert 0 == main(["keys", "revoke", key.id])
    with pytest.raises(KeyInvalid):
        key_of(f"Bearer {text}", keys, scope=KeyScope.ANALYSE)
    capsys.readouterr()
    assert 0 == main(["keys", "list"])
    assert json.loads(capsys.readouterr().out)["revoked_at"] is not None


def test_scopes_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    """Both, if wanted."""
    main(["keys", "create", "both", "--scope", "analyse", "--scope", "message"])
    text = capsys.readouterr().out.strip()

    assert key_of(f"Bearer {text}", build_key_store(Settings()), scope=KeyScope.MESSAGE)


def test_an_unknown_key_cannot_be_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said in one line, and the status is 1."""
    assert 1 == main(["keys", "revoke", "000000000000"])
    assert "asli: there is no key 000000000000\n" == capsys.readouterr().err


def test_without_boto3_the_keys_of_a_stage_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An installation for one machine does not have it."""
    for name in ("MEDIA_BUCKET", "QUEUE_URL", "JOBS_TABLE", "MESSAGES_TABLE"):
        monkeypatch.setenv(f"ASLI_{name}", "some")
    for name in ("dynamodb", "dynamodb_desk"):
        monkeypatch.delitem(sys.modules, f"lambda_api.adapters.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(SystemExit) as exit_:
        main(["keys", "list"])

    assert 1 == exit_.value.code
    assert "asli: this needs boto3, which is not installed\n" == capsys.readouterr().err
