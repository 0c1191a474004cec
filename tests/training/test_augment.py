"""Augmentation: alike for both halves of a pair, and reproducible."""

import dataclasses

import numpy as np
import pytest
from skimage import data

from training.augment import AugmentSpec, augment_pair, resize_pair

NO_HARD_REALS = AugmentSpec(hard_real=0.0)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("size", [64, 224])
def test_both_halves_get_the_same_treatment(seed: int, size: int) -> None:
    """Two copies of one image stay copies of each other, whatever is drawn."""
    image = data.astronaut()[:256, :200]

    real, fake = augment_pair(image, image.copy(), size, NO_HARD_REALS, np.random.default_rng(seed))

    assert (size, size, 3) == real.shape
    assert np.array_equal(real, fake)


@pytest.mark.parametrize("seed", range(12))
def test_images_of_two_sizes_are_extended_alike(seed: int) -> None:
    """The larger one gives no more pixels than the smaller one has, so that reflection tells nothing."""
    small = np.full((128, 128, 3), 90, np.uint8)
    large = np.zeros((400, 300, 3), np.uint8)
    large[:, :, 0] = np.arange(400)[:, None] // 2
    large[:, :, 1] = np.arange(300)[None, :] // 2
    clean = AugmentSpec(untouched=1.0, hard_real=0.0)

    real, fake = augment_pair(large, small, 224, clean, np.random.default_rng(seed))

    assert (224, 224, 3) == real.shape == fake.shape
    assert len({tuple(p) for p in real[:, :, :2].reshape(-1, 2)}) <= 65 * 65


def test_the_same_draw_gives_the_same_crops() -> None:
    """A crop is a function of its random generator."""
    image = data.astronaut()
    spec = AugmentSpec()
    first, second = (
        augment_pair(image, image, 96, spec, np.random.default_rng(7)) for _ in range(2)
    )

    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_hard_reals_change_the_photograph_alone() -> None:
    """The AI half is what it would have been without them."""
    image = data.astronaut()
    always = dataclasses.replace(NO_HARD_REALS, hard_real=1.0, untouched=1.0)

    changed = 0
    for seed in range(10):
        real, fake = augment_pair(image, image, 96, always, np.random.default_rng(seed))
        changed += not np.array_equal(real, fake)

    assert 10 == changed


def test_untouched_crops_are_native_pixels() -> None:
    """A clean pair is only cut and mirrored: its pixels all occur in the image."""
    image = data.astronaut()
    clean = AugmentSpec(untouched=1.0, hard_real=0.0)
    colours = {tuple(p) for p in image.reshape(-1, 3)}

    real, _ = augment_pair(image, image, 96, clean, np.random.default_rng(0))

    assert {tuple(p) for p in real.reshape(-1, 3)} <= colours


@pytest.mark.parametrize("seed", range(4))
def test_a_resized_pair_is_whole(seed: int) -> None:
    """Each corner of both images is a corner of the result, mirrored in both or in none."""
    image = np.full((150, 200, 3), 90, np.uint8)
    image[:60, :60] = (250, 0, 0)
    real, fake = resize_pair(image, image[:, :, ::-1], 96, np.random.default_rng(seed))
    left = bool(real[5, 5, 0] > 200)

    assert (96, 96, 3) == real.shape == fake.shape
    assert (250, 0, 0) == tuple(real[5, 5 if left else 90])
    assert (0, 0, 250) == tuple(fake[5, 5 if left else 90])
    assert (90, 90, 90) == tuple(real[90, 5])
