"""The evaluation report: every figure that the site, the API and the model card publish.

Its JSON is the only place where results are kept; nothing is typed by hand.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from detector.labels import FAKE, REAL
from detector.manifest import ModelManifest
from training.metrics import (
    Confusion,
    auroc,
    average_precision,
    bootstrap_auroc,
    clopper_pearson,
    expected_calibration_error,
    reliability,
    roc_points,
    selective,
)
from training.scoring import Alteration, Scores

SCHEMA = 1
DIGITS = 4


def build_report(
    scores: Scores,
    manifest: ModelManifest,
    *,
    data: Mapping[str, Any],
    weights_sha256: str,
    notes: list[str],
) -> dict[str, Any]:
    """All published figures of one model on one data set.

    AI images of a source that has photographs of its own are ranked against those, all others against
    all photographs. "Flagged" means: in the likely-AI band.
    """
    values = manifest.calibration.probability(scores.logits)
    bands = {
        "likely_ai": manifest.bands.flagged(values),
        "no_ai_signs_found": manifest.bands.cleared(values),
    }
    fakes = scores.labels == FAKE
    conditions = list(enumerate(scores.conditions))
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "id": manifest.evaluation_id,
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": manifest.commit,
        "model": {
            "id": manifest.model_id,
            "version": manifest.version,
            "precision": manifest.precision,
            "recipe": manifest.recipe,
            "weights_sha256": weights_sha256,
        },
        "bands": {"low": manifest.bands.low, "high": manifest.bands.high},
        "data": {
            **data,
            "n_images": len(scores.records),
            "largest_photograph_px": int(max(scores.long_sides[~fakes], default=0)) or None,
            "unreadable": scores.failures,
        },
        "expected_errors": {
            c.name: expected_errors(bands, fakes, column) for column, c in conditions
        },
        "reals": [
            _real_row(scores, bands, source, column, condition)
            for source in _in_order(r.source for r in scores.records if r.label == REAL)
            for column, condition in conditions
        ],
        "generators": [
            _generator_row(scores, values, bands, generator, column, condition, manifest)
            for generator in _in_order(r.generator for r in scores.records if r.label == FAKE)
            for column, condition in conditions
        ],
        "limits_of_this_test": notes,
    }
    report["curves"] = [
        row
        for column, condition in conditions
        if (row := _curves(scores, values, column, condition, manifest))
    ]
    report["summary"] = [
        row
        for column, condition in conditions
        for row in (
            _seen_row(report["generators"], scores, values, bands, column, condition, manifest),
            _unseen_row(report["generators"], condition),
        )
    ]
    return rounded(report)


def ranked_against(scores: Scores, generator: str) -> np.ndarray:
    """Boolean [R]: a generator's images and the photographs that they are ranked against."""
    own = scores.where(generator=generator)
    sources = {r.source for r, chosen in zip(scores.records, own, strict=True) if chosen}
    photos = scores.labels == REAL
    same_source = photos & np.array([r.source in sources for r in scores.records])
    return own | (same_source if same_source.any() else photos)


def rounded(value: Any) -> Any:
    """The same JSON with every float at DIGITS decimals, and None in place of what is not a number."""
    if isinstance(value, dict):
        return {k: v if k in {"low", "high"} else rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if isinstance(value, float | np.floating):
        return round(float(value), DIGITS) if np.isfinite(value) else None
    return value


def expected_errors(bands: dict[str, np.ndarray], fakes: np.ndarray, column: int) -> dict[str, Any]:
    """Errors in one condition; `bands` are boolean [R, C] by name of the band, `fakes` boolean [R]."""
    flagged, cleared = bands["likely_ai"][:, column], bands["no_ai_signs_found"][:, column]
    n_real, n_ai = int((~fakes).sum()), int(fakes.sum())
    if not n_real:
        return {
            "false_positive_rate": None,
            "ci95": None,
            "n_real": 0,
            "miss_rate": None,
            "n_ai": n_ai,
        }
    k = int(flagged[~fakes].sum())
    return {
        "false_positive_rate": k / n_real,
        "ci95": clopper_pearson(k, n_real),
        "n_real": n_real,
        "miss_rate": float(cleared[fakes].mean()) if n_ai else None,
        "n_ai": n_ai,
    }


def _counts(bands: dict[str, np.ndarray], chosen: np.ndarray, column: int) -> dict[str, Any]:
    n = int(chosen.sum())
    flagged = int(bands["likely_ai"][chosen, column].sum())
    cleared = int(bands["no_ai_signs_found"][chosen, column].sum())
    return {
        "n": n,
        "likely_ai": flagged,
        "inconclusive": n - flagged - cleared,
        "no_ai_signs_found": cleared,
        "likely_ai_rate": flagged / n,
    }


def _real_row(
    scores: Scores, bands: dict[str, np.ndarray], source: str, column: int, condition: Alteration
) -> dict[str, Any]:
    chosen = scores.where(source=source) & (scores.labels == REAL)
    counts = _counts(bands, chosen, column)
    splits = sorted({r.split for r, c in zip(scores.records, chosen, strict=True) if c})
    return {
        "source": source.removeprefix("real_"),
        "title": title_of(source),
        "split": "+".join(splits),
        "condition": condition.name,
        **counts,
        "ci95": clopper_pearson(counts["likely_ai"], counts["n"]),
    }


def _generator_row(
    scores: Scores,
    values: np.ndarray,
    bands: dict[str, np.ndarray],
    generator: str,
    column: int,
    condition: Alteration,
    manifest: ModelManifest,
) -> dict[str, Any]:
    own = scores.where(generator=generator)
    counts = _counts(bands, own, column)
    compared = ranked_against(scores, generator)
    labels, column_values = scores.labels[compared], values[compared, column]
    both = len(set(labels.tolist())) == 2
    return {
        "generator": generator,
        "title": title_of(generator),
        "family": next(r.family for r, c in zip(scores.records, own, strict=True) if c),
        "seen_in_training": generator in manifest.trained_on,
        "condition": condition.name,
        **counts,
        "likely_ai_ci95": clopper_pearson(counts["likely_ai"], counts["n"]),
        "n_photographs": int((labels == REAL).sum()),
        "auroc": auroc(labels, column_values) if both else None,
        "auroc_ci95": bootstrap_auroc(labels, column_values, scores.groups[compared]),
        "average_precision": average_precision(labels, column_values) if both else None,
    }


def _seen_row(
    generators: list[dict[str, Any]],
    scores: Scores,
    values: np.ndarray,
    bands: dict[str, np.ndarray],
    column: int,
    condition: Alteration,
    manifest: ModelManifest,
) -> dict[str, Any]:
    """Generators of the training data on their test split, and the photographs that they are ranked against.

    The AUROC is the mean over generators; the rest is of all images together.
    """
    names, chosen = _seen(scores, manifest)
    row: dict[str, Any] = {"set": "seen", "condition": condition.name, "generators": sorted(names)}
    row |= dict.fromkeys(_SEEN_FIGURES)
    labels, probability = scores.labels[chosen], values[chosen, column]
    if len(set(labels.tolist())) < 2:
        return row
    confusion = Confusion.of(labels, bands["likely_ai"][chosen, column])
    return {
        **row,
        "n_real": int((labels == REAL).sum()),
        "n_ai": int((labels == FAKE).sum()),
        "auroc": _mean_auroc(generators, condition, seen=True),
        "accuracy": confusion.accuracy,
        "balanced_accuracy": confusion.balanced_accuracy,
        "ece": expected_calibration_error(labels, probability),
        **selective(
            labels,
            bands["likely_ai"][chosen, column],
            bands["no_ai_signs_found"][chosen, column],
        ),
        "confusion": {
            "photo_photo": confusion.photo_photo,
            "photo_ai": confusion.photo_ai,
            "ai_photo": confusion.ai_photo,
            "ai_ai": confusion.ai_ai,
        },
        "positive_ai": {"precision": confusion.precision_ai, "recall": confusion.recall_ai},
        "positive_photo": {
            "precision": confusion.precision_photo,
            "recall": confusion.recall_photo,
        },
    }


def _curves(
    scores: Scores, values: np.ndarray, column: int, condition: Alteration, manifest: ModelManifest
) -> dict[str, Any] | None:
    """Points to draw of the seen generators: ROC curve and reliability. None without both classes."""
    _, chosen = _seen(scores, manifest)
    labels, probability = scores.labels[chosen], values[chosen, column]
    if len(set(labels.tolist())) < 2:
        return None
    false_positive, true_positive = roc_points(labels, probability)
    return {
        "condition": condition.name,
        "roc": {
            "false_positive_rate": false_positive.tolist(),
            "true_positive_rate": true_positive.tolist(),
        },
        "reliability": [dataclasses.asdict(b) for b in reliability(labels, probability)],
    }


def _seen(scores: Scores, manifest: ModelManifest) -> tuple[set[str], np.ndarray]:
    """The generators that were learned, and boolean [R]: their images, and the photographs beside them."""
    names = {r.generator for r in scores.records if r.generator in manifest.trained_on}
    chosen = np.zeros(len(scores.records), dtype=bool)
    for name in names:
        chosen |= ranked_against(scores, name)
    return names, chosen


def _unseen_row(generators: list[dict[str, Any]], condition: Alteration) -> dict[str, Any]:
    """Macro mean over the generators that no training image came from."""
    rows = _rows(generators, condition, seen=False)
    return {
        "set": "unseen",
        "condition": condition.name,
        **dict.fromkeys(_SEEN_FIGURES),
        "generators": [row["generator"] for row in rows],
        "n_ai": sum(row["n"] for row in rows),
        "auroc": _mean_auroc(generators, condition, seen=False),
    }


def _rows(
    generators: list[dict[str, Any]], condition: Alteration, *, seen: bool
) -> list[dict[str, Any]]:
    """Those of this condition that have an AUROC."""
    return [
        row
        for row in generators
        if row["condition"] == condition.name
        and row["seen_in_training"] == seen
        and row["auroc"] is not None
    ]


def _mean_auroc(
    generators: list[dict[str, Any]], condition: Alteration, *, seen: bool
) -> float | None:
    """All generators weigh the same."""
    rows = _rows(generators, condition, seen=seen)
    return float(np.mean([row["auroc"] for row in rows])) if rows else None


def title_of(name: str) -> str:
    """What people read in place of the name of a source or a generator."""
    return TITLES.get(name, name)


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


_SEEN_FIGURES = (
    "n_real",
    "n_ai",
    "auroc",
    "accuracy",
    "balanced_accuracy",
    "ece",
    "coverage",
    "selective_error",
    "confusion",
    "positive_ai",
    "positive_photo",
)
"""Those of a summary row; None where they were not measured."""

TITLES = {
    "stylegan": "StyleGAN portraits",
    "stylegan2": "StyleGAN2 portraits",
    "stylegan2-ada": "StyleGAN2-ADA portraits",
    "progan": "ProGAN",
    "msg-progan": "MSG-ProGAN",
    "infomax-gan": "InfoMax-GAN",
    "cyclegan": "CycleGAN streets and bedrooms",
    "dalle-mini": "DALL-E mini",
    "disco-diffusion": "Disco Diffusion",
    "glid-3-xl": "GLID-3-XL",
    "latent-diffusion": "Latent Diffusion",
    "pixray-vqgan-clip": "pixray (VQGAN+CLIP)",
    "sd-1.4": "Stable Diffusion 1.4, paintings",
    "sd-1.x": "Stable Diffusion 1.x",
    "sd-3.5-large": "Stable Diffusion 3.5 Large",
    "taef2-recon": "Photographs through TAEF2",
    "vintage-cyclegan": "Photographs through a CycleGAN",
    "stylegan_zoya": "Portraits (FFHQ)",
    "real_clothing": "Garments, phone photographs",
    "real_catdog": "Cats and dogs",
    "real_imagenet": "ImageNet, one per class",
    "layla_cyclegan_fog_rain_streets": "Streets in fog and rain",
    "samcw_cyclegan_streets_rgb": "Streets",
    "ysbsb_cyclegan_bedrooms": "Bedrooms",
    "web_pages": "Web pages",
    "demos": "Demos of web packages",
    "foods": "Foods",
}
"""How known data sets and generators are called in tables; others keep their own names."""
