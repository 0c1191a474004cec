"""Metrics, checked on figures that are known."""

import numpy as np
import pytest
from scipy.stats import binom

from training.metrics import (
    Confusion,
    auroc,
    average_precision,
    bootstrap_auroc,
    clopper_pearson,
    expected_calibration_error,
    grouped_proportion,
    reliability,
    roc_points,
    selective,
    upper_bound,
)

PAPER = Confusion(photo_photo=20, photo_ai=0, ai_photo=12, ai_ai=48)
"""Wangsadidjaja (2023): 20 photographs and 60 AI images."""


def test_the_papers_precision_and_recall_are_swapped_back() -> None:
    """Of 32 images called photographs 20 were: precision 0.625 and recall 1, not the other way round."""
    assert (20 / 32, 1.0) == (PAPER.precision_photo, PAPER.recall_photo)
    assert (1.0, 0.8) == (PAPER.precision_ai, PAPER.recall_ai)


def test_the_papers_accuracy_is_68_of_80() -> None:
    """And its balanced accuracy is higher, since no photograph was called AI."""
    assert (0.85, 0.9) == (PAPER.accuracy, PAPER.balanced_accuracy)


def test_the_papers_interval() -> None:
    """Clopper-Pearson for 68 of 80 runs from 0.753 to 0.920."""
    assert clopper_pearson(68, 80) == pytest.approx((0.753, 0.920), abs=5e-4)


def test_images_of_a_group_say_less_than_as_many_of_their_own() -> None:
    """Where all of a group agree, a group says what an image would; where each is of its own, it is Clopper-Pearson."""
    flagged = np.arange(100) < 20

    own = grouped_proportion(flagged, np.arange(100))
    of_four = grouped_proportion(flagged, np.arange(100) // 4)
    assert own == pytest.approx(clopper_pearson(20, 100))
    assert of_four == pytest.approx(clopper_pearson(5, 25), abs=0.03)
    assert of_four[0] < clopper_pearson(5, 25)[0]
    assert of_four[1] > clopper_pearson(5, 25)[1]


def test_groups_that_are_more_even_than_chance_make_no_interval_narrower() -> None:
    """One of each four; where none is flagged, nothing is known of how groups differ, and of few groups each is one."""
    flagged = np.arange(100) % 4 == 0

    low, high = grouped_proportion(flagged, np.arange(100) // 4)
    narrowest = clopper_pearson(25, 100)
    assert low <= narrowest[0] < narrowest[1] <= high
    assert grouped_proportion(np.zeros(9, bool), np.arange(9)) == clopper_pearson(0, 9)
    assert grouped_proportion(flagged, np.arange(100) // 25) == clopper_pearson(1, 4)


def test_a_confusion_counts_both_mistakes() -> None:
    """Labels and decisions in, four counts out."""
    labels = np.array([0, 0, 0, 1, 1])
    flagged = np.array([True, False, False, True, False])

    assert Confusion(2, 1, 1, 1) == Confusion.of(labels, flagged)


def test_undefined_ratios_are_none() -> None:
    """Without AI images there is no recall of them, and none is made up."""
    only_photos = Confusion(5, 0, 0, 0)

    assert only_photos.recall_ai is None
    assert only_photos.precision_ai is None
    assert only_photos.balanced_accuracy is None


def test_auroc_counts_pairs() -> None:
    """Three of four pairs are in order."""
    assert 0.75 == auroc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))


def test_average_precision_does_not_depend_on_the_share_of_ai_images() -> None:
    """Doubling the photographs leaves it where it was."""
    rng = np.random.default_rng(0)
    labels = np.array([0] * 200 + [1] * 200)
    scores = labels + rng.normal(size=400)
    doubled = average_precision(np.r_[labels, labels[:200]], np.r_[scores, scores[:200]])

    assert average_precision(labels, scores) == pytest.approx(doubled, abs=1e-9)


def test_perfect_calibration_has_no_error() -> None:
    """And a constant shift of 0.3 has an error of 0.3."""
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 0.7, 200_000)
    labels = (rng.random(p.size) < p).astype(int)
    weight = 1 / np.bincount(labels)[labels]
    true_p = p / labels.sum() / (p / labels.sum() + (1 - p) / (labels.size - labels.sum()))

    assert weight.sum() == pytest.approx(2)
    assert expected_calibration_error(labels, true_p) < 0.01
    assert expected_calibration_error(labels, np.clip(true_p + 0.3, 0, 1)) > 0.2


@pytest.mark.parametrize(("k", "n"), [(0, 300), (3, 389), (5, 389), (100, 100)])
def test_the_upper_bound_is_exact(k: int, n: int) -> None:
    """At the bound, k or fewer errors happen in 5 % of the cases."""
    bound = upper_bound(k, n)

    assert (1.0 if k == n else 0.05) == pytest.approx(binom.cdf(k, n, bound), abs=1e-9)


def test_the_bootstrap_draws_groups_whole() -> None:
    """Images that repeat each other widen the interval."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 40)
    scores = labels + rng.normal(size=80)
    alone = bootstrap_auroc(labels, scores, np.arange(80), resamples=300)
    repeated = bootstrap_auroc(
        np.repeat(labels, 10), np.repeat(scores, 10), np.repeat(np.arange(80), 10), resamples=300
    )
    unaware = bootstrap_auroc(
        np.repeat(labels, 10), np.repeat(scores, 10), np.arange(800), resamples=300
    )

    assert alone is not None
    assert repeated is not None
    assert unaware is not None
    width = [high - low for low, high in (alone, repeated, unaware)]
    assert width[1] == pytest.approx(width[0], rel=0.25)
    assert width[2] < 0.6 * width[1]


@pytest.mark.parametrize(("groups", "has_interval"), [(1, False), (4, False), (5, True)])
def test_few_groups_give_no_interval(groups: int, has_interval: bool) -> None:
    """Images of one prompt would all be drawn each time, and the interval would be that of the photographs."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    scores = labels + rng.normal(size=200)
    of_fakes = np.arange(100) % groups
    interval = bootstrap_auroc(labels, scores, np.r_[100 + np.arange(100), of_fakes])

    assert has_interval == (interval is not None)


def test_the_bootstrap_centres_on_the_auroc() -> None:
    """With ties, too: its interval contains the plain figure and narrows with more images."""
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 500)
    scores = (labels + rng.normal(size=1000)).round(1)
    interval = bootstrap_auroc(labels, scores, np.arange(1000))
    assert interval is not None
    low, high = interval

    assert low < auroc(labels, scores) < high
    assert (low + high) / 2 == pytest.approx(auroc(labels, scores), abs=0.005)
    assert high - low < 0.07


def test_a_reliability_bin_says_how_often_it_is_right() -> None:
    """Both classes weigh the same: of nine photographs and one AI image at 0.8, half is AI."""
    labels = np.array([0] * 9 + [1])
    found = reliability(labels, np.full(10, 0.8))

    assert [(10, 0.5)] == [(b.n, b.share_ai) for b in found]
    assert found[0].mean_probability == pytest.approx(0.8)


def test_few_points_are_enough_for_a_curve() -> None:
    """From corner to corner, and the area below is the AUROC."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 2000)
    scores = labels + rng.normal(size=4000)
    x, y = roc_points(labels, scores)

    assert len(x) <= 100
    assert [(0, 0), (1, 1)] == [(x[0], y[0]), (x[-1], y[-1])]
    assert np.trapezoid(y, x) == pytest.approx(auroc(labels, scores), abs=0.002)


def test_a_perfect_order_has_a_full_area() -> None:
    """Up first, and only then to the right."""
    x, y = roc_points(np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 3.0, 4.0]))

    assert 1.0 == np.trapezoid(y, x)
    assert {(0, 0), (0, 1), (1, 1)} <= set(zip(x.tolist(), y.tolist(), strict=True))


def test_who_may_say_cannot_tell_is_judged_by_what_it_says() -> None:
    """Four of five are answered, one of them wrongly; without an answer nothing can be wrong."""
    labels = np.array([0, 0, 1, 1, 1])
    flagged = np.array([False, True, True, True, False])
    cleared = np.array([True, False, False, False, False])
    nothing = np.zeros(5, dtype=bool)

    assert {"coverage": 0.8, "selective_error": 0.25} == selective(labels, flagged, cleared)
    assert {"coverage": 0.0, "selective_error": None} == selective(labels, nothing, nothing)
