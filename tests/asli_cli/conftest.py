"""A service to talk to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import running_service


@pytest.fixture(scope="session")
def api_url(
    tiny_model: Path, tiny_report: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a server that scores brightness."""
    model = {"ASLI_MODEL_PATH": str(tiny_model), "ASLI_REPORT_PATH": str(tiny_report)}
    with running_service(tmp_path_factory.mktemp("service"), model) as url:
        yield url
