"""The image is built once; the function behind the gateway is started once."""

from collections.abc import Iterator

import pytest

from tests.container.functions import API, Function, build, engine_is_missing, running


@pytest.fixture(scope="session")
def image() -> str:
    """The functions' image of this checkout."""
    missing = engine_is_missing()
    if missing:
        pytest.skip(f"No container can be run: {missing}.")
    return build()


@pytest.fixture(scope="session")
def api(image: str) -> Iterator[Function]:
    """The function behind the gateway, with the shipped model, keeping results in its scratch folder."""
    with running(image, API) as function:
        yield function
