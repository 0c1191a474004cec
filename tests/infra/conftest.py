"""The synthesised stacks. Each is made once, since that takes seconds."""

from collections.abc import Callable
from functools import cache

import pytest

from infra.stages import STAGES, Stage, choose_stage
from tests.infra.synthesis import Synthesised

Synthesise = Callable[[Stage], Synthesised]


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Synthesise:
    """Stack by stage."""
    return cache(lambda stage: Synthesised(stage, tmp_path_factory.mktemp(stage.name)))


@pytest.fixture(scope="session")
def dev(synthesise: Synthesise) -> Synthesised:
    return synthesise(choose_stage("dev"))


@pytest.fixture(scope="session")
def prod(synthesise: Synthesise) -> Synthesised:
    return synthesise(choose_stage("prod"))


@pytest.fixture(scope="session", params=STAGES)
def stack(request: pytest.FixtureRequest, synthesise: Synthesise) -> Synthesised:
    """Each stage's in turn."""
    return synthesise(choose_stage(request.param))
