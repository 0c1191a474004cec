from collections.abc import Iterator

import pytest

from lambda_api.problems import PROBLEM_TYPES
from tests.apps import Caller
from tests.images import plain_image, png_declaring
from tests.wording import overclaims


def test_no_answer_overclaims(call: Caller, photo_jpeg: bytes) -> None:
    """No value in any answer uses a word that claims to know where an image came from."""
    images = [photo_jpeg, *(plain_image("PNG", (300, 300), grey) for grey in (0, 118, 255))]
    broken = [b"", b"text", png_declaring(60_000, 60_000), plain_image("PNG", (9, 9))]
    answers = [call.detect(data) for data in (*images, *broken)]
    answers += [
        call("GET", f"/v1/{path}")
        for path in ("model", "limits", "healthz", "readyz", "openapi.json", "nothing")
    ]

    strings = [each for answer in answers for each in _values(answer.json())]
    assert len(strings) > 300
    assert [] == [each for each in strings if overclaims(each)]


def test_no_problem_overclaims() -> None:
    """The titles and sentences of all problems keep to the same words."""
    for kind in PROBLEM_TYPES.values():
        assert not overclaims(f"{kind.title} {kind.detail}")


@pytest.mark.parametrize("text", ["is real", "FAKE", "100 %", "100% sure", "authentic."])
def test_forbidden_words_are_found(text: str) -> None:
    """The search itself works."""
    assert overclaims(text)


def _values(value: object) -> Iterator[str]:
    """Every string that is not a key; keys such as n_real count what was measured."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _values(each)
    elif isinstance(value, list):
        for each in value:
            yield from _values(each)
