"""Re-saves, and which of them a file resembles."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from detector.conditions import CLEAN, CONDITIONS, HARD, WEB, Condition, condition_of
from detector.image import MediaFacts


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        (None, "clean"),
        (95, "clean"),
        (70, "clean"),
        (60, "web"),
        (51, "web"),
        (50, "hard"),
        (40, "hard"),
    ],
)
def test_the_condition_follows_the_jpeg_quality(quality: int | None, expected: str) -> None:
    """The stronger the compression, the harder the condition whose error rates apply."""
    facts = MediaFacts(
        kind="image",
        sha256="",
        bytes=1,
        width=9,
        height=9,
        format="jpeg",
        jpeg_quality_estimate=quality,
    )

    assert expected == condition_of(facts).name


def test_conditions_do_what_their_numbers_say() -> None:
    """Clean leaves the pixels alone; web and hard shrink and lose detail, hard more than web."""
    image = Image.fromarray(np.tile(data.astronaut(), (2, 2, 1)))
    clean, web, hard = (condition.apply(image) for condition in CONDITIONS)

    assert clean is image
    assert ((768, 768), (512, 512)) == (web.size, hard.size)
    same = Image.fromarray(data.astronaut())
    losses = [
        np.abs(np.asarray(c.apply(same)).astype(float) - np.asarray(same)).mean()
        for c in (CLEAN, WEB, HARD)
    ]
    assert sorted(losses) == losses
    assert 0 == losses[0] < losses[1] < losses[2]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 3000), (768, 576)),
        ((1000, 800), (750, 600)),
        ((400, 320), (300, 240)),
        ((320, 256), (280, 224)),
        ((200, 100), (200, 100)),
    ],
)
def test_a_reduction_leaves_no_image_as_it_was(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    """But for one whose short side is no longer than a crop."""
    reduction = Condition("smaller", max_long_side=768, max_scale=0.75)

    assert expected == reduction.apply(Image.new("RGB", size)).size
