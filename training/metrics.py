"""Metrics by their standard names. Label 1 (AI) is the positive class unless a name says otherwise."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, t
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from detector.labels import FAKE, REAL

FEWEST_GROUPS = 5
"""Of each class, to draw from for an interval."""


@dataclass(frozen=True)
class Confusion:
    """Counts of a two-way decision, and what follows from them. Undefined ratios are None."""

    photo_photo: int
    """Photographs taken for photographs."""
    photo_ai: int
    """Photographs taken for AI images."""
    ai_photo: int
    ai_ai: int

    @classmethod
    def of(cls, labels: np.ndarray, flagged: np.ndarray) -> "Confusion":
        """From labels (0 or 1) and decisions (True: taken for AI)."""
        fake = labels == FAKE
        return cls(
            int((~fake & ~flagged).sum()),
            int((~fake & flagged).sum()),
            int((fake & ~flagged).sum()),
            int((fake & flagged).sum()),
        )

    @property
    def accuracy(self) -> float | None:
        total = self.photo_photo + self.photo_ai + self.ai_photo + self.ai_ai
        return _ratio(self.photo_photo + self.ai_ai, total)

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of the two recalls."""
        recalls = (self.recall_ai, self.recall_photo)
        return None if None in recalls else float(np.mean(np.array(recalls, dtype=float)))

    @property
    def precision_ai(self) -> float | None:
        return _ratio(self.ai_ai, self.ai_ai + self.photo_ai)

    @property
    def recall_ai(self) -> float | None:
        return _ratio(self.ai_ai, self.ai_ai + self.ai_photo)

    @property
    def precision_photo(self) -> float | None:
        return _ratio(self.photo_photo, self.photo_photo + self.ai_photo)

    @property
    def recall_photo(self) -> float | None:
        return _ratio(self.photo_photo, self.photo_photo + self.photo_ai)


def auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; needs both classes."""
    return float(roc_auc_score(labels, scores))


def average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """AP at equal class weights, so that it does not depend on how many of each were tested."""
    return float(average_precision_score(labels, scores, sample_weight=_balanced_weights(labels)))


def expected_calibration_error(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = 15
) -> float:
    """Class-balanced ECE over equal-width bins (Guo et al., ICML 2017)."""
    found = reliability(labels, probabilities, bins)
    total = sum(b.weight for b in found)
    return sum(b.weight * abs(b.mean_probability - b.share_ai) for b in found) / total


@dataclass(frozen=True)
class ReliabilityBin:
    """The images whose probability lies in one of several equal parts of 0..1; both classes weigh the same."""

    n: int
    weight: float
    mean_probability: float
    share_ai: float


def reliability(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = 15
) -> list[ReliabilityBin]:
    """The bins that are not empty, in order."""
    weights = _balanced_weights(labels)
    index = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        ReliabilityBin(
            int(inside.sum()),
            float(weights[inside].sum()),
            float(np.average(probabilities[inside], weights=weights[inside])),
            float(np.average(labels[inside], weights=weights[inside])),
        )
        for inside in (index == b for b in range(bins))
        if inside.any()
    ]


def roc_points(
    labels: np.ndarray, scores: np.ndarray, most: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates along the ROC curve, from (0, 0) to (1, 1), at most so many points."""
    false_positive, true_positive, _ = roc_curve(labels, scores)
    way = np.abs(np.diff(false_positive, prepend=0)) + np.diff(true_positive, prepend=0)
    wanted = np.linspace(0, 2, most)
    kept = np.unique(np.searchsorted(way.cumsum(), wanted - 1e-9))
    return false_positive[kept], true_positive[kept]


def clopper_pearson(k: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval of a proportion k / n."""
    tail = (1 - level) / 2
    low = 0.0 if k == 0 else float(beta.ppf(tail, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(1 - tail, k + 1, n - k))
    return low, high


def upper_bound(k: int, n: int, level: float = 0.95) -> float:
    """One-sided Clopper-Pearson upper bound of a proportion k / n."""
    return clopper_pearson(k, n, 2 * level - 1)[1]


def grouped_proportion(counted: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """95 % interval of the share of `counted`, boolean [N], where images of a group may be alike.

    Clopper and Pearson's with as many images as would say as much if they were independent (Korn and Graubard,
    "Confidence intervals for proportions with small expected number of positive counts estimated from survey data",
    Survey Methodology 24, 1998), and never with more than there are: how much images of a group are alike is seen where
    some are counted and some are not, in several groups. Of fewer than FEWEST_GROUPS each counts as one image.
    """
    n, share = len(counted), float(counted.mean())
    _, index = np.unique(groups, return_inverse=True)
    excess = np.bincount(index, weights=counted - share)
    count = len(excess)
    if count < FEWEST_GROUPS:
        return clopper_pearson(share * count, count)
    if share in (0.0, 1.0):
        return clopper_pearson(share * n, n)
    variance = count / (count - 1) * float((excess**2).sum()) / n**2
    alone = share * (1 - share) / (n - 1)
    wider = (t.ppf(0.975, n - 1) / t.ppf(0.975, count - 1)) ** 2
    effective = n * wider * alone / max(alone, variance)
    return clopper_pearson(share * effective, effective)


def bootstrap_auroc(
    labels: np.ndarray,
    scores: np.ndarray,
    groups: np.ndarray,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """95 % interval of the AUROC, resampling whole groups within each class.

    A group, such as a photograph and its near-duplicates, is drawn or left out as one. None where a class has
    fewer than FEWEST_GROUPS of them: they would hardly vary, and the interval would be too narrow.
    """
    if min(len(set(groups[labels == label])) for label in (REAL, FAKE)) < FEWEST_GROUPS:
        return None
    drawn = draw_groups(labels, groups, resamples=resamples, seed=seed)
    low, high = np.quantile(resampled_auroc(labels, scores, drawn), [0.025, 0.975])
    return float(low), float(high)


def draw_groups(
    labels: np.ndarray, groups: np.ndarray, *, resamples: int, seed: int = 0
) -> np.ndarray:
    """How often each image is in each resample of whole groups within each class: [resamples, images]."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros((resamples, len(labels)))
    for label in (REAL, FAKE):
        inside = labels == label
        names, index = np.unique(groups[inside], return_inverse=True)
        counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
        drawn[:, inside] = counts[:, index]
    return drawn


def resampled_auroc(labels: np.ndarray, scores: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The AUROC in each of the resamples that `draw_groups` gave; NaN where a class was not drawn."""
    order = np.argsort(scores, kind="stable")
    labels, scores = labels[order], scores[order]
    ties = np.flatnonzero(np.r_[True, np.diff(scores) > 0])
    real, fake = (
        np.add.reduceat(drawn[:, order] * (labels == label), ties, axis=1) for label in (REAL, FAKE)
    )
    lower = real.cumsum(axis=1) - real
    pairs = real.sum(axis=1) * fake.sum(axis=1)
    in_order = (fake * (lower + real / 2)).sum(axis=1)
    return np.divide(in_order, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def selective(
    labels: np.ndarray, flagged: np.ndarray, cleared: np.ndarray
) -> dict[str, float | None]:
    """Of decisions with a third answer: `coverage`, the share of images with a verdict (boolean `flagged` or
    `cleared`), and `selective_error`, the share of those verdicts that are wrong (El-Yaniv and Wiener, "On the
    Foundations of Noise-free Selective Classification", JMLR 2010).
    """
    decided = flagged | cleared
    wrong = decided & (flagged != (labels == FAKE))
    return {
        "coverage": _ratio(int(decided.sum()), len(labels)),
        "selective_error": _ratio(int(wrong.sum()), int(decided.sum())),
    }


def _balanced_weights(labels: np.ndarray) -> np.ndarray:
    """Weights that give both classes the same total."""
    counts = np.bincount(labels, minlength=2)
    return 1.0 / np.maximum(counts, 1)[labels]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
