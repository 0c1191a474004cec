"""Is this a file that the detector is made for: a photograph or a picture like one, large and sharp enough?

Two properties tell a graphic from a photograph, and both survive JPEG and reduction: few tones cover most of
it, and its edges are steep. They are weighed by LIMITS, which `python -m training.suitability` fits.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from detector.image import MediaFacts
from detector.verdict import SMALLEST_JUDGED_SIDE, Reason

LOWEST_JUDGED_JPEG_QUALITY = 40
"""Below this estimated quality a file is at best inconclusive: no error rate was measured there."""

TONES = 64
COMMON_TONES = 8
STEP = 8
STEEP_STEP = 60
LEAST_CONTRAST = 96
"""Of 255 levels. A picture with less is not stretched further, so that its noise does not become texture."""


@dataclass(frozen=True)
class Content:
    """What an image looks like, its contrast first stretched to the whole range. All in 0..1."""

    few_tones: float
    """Share of the pixels that have one of the COMMON_TONES most common of TONES grey tones."""
    steep_edges: float
    """Share of STEEP_STEP levels and more among the steps of STEP levels and more to the next pixel."""
    colour: float
    """How far the least ordinary 2 % of the pixels are from the middle colour."""


@dataclass(frozen=True)
class Limits:
    """Above `graphic`, few_tones + edge_weight * steep_edges makes a graphic; up to `colour` it is a colourless one."""

    edge_weight: float
    graphic: float
    colour: float


LIMITS = Limits(edge_weight=0.896, graphic=0.975, colour=0.057)


def find_obstacles(image: Image.Image, facts: MediaFacts) -> tuple[Reason, ...]:
    """Why a file should not get a clear answer; empty when nothing stands in the way.

    `image` is its RGB image, which may have been reduced; `facts` are those of the file.
    """
    found = {
        kind_of_graphic(measure_content(image)): True,
        Reason.SMALL_IMAGE: min(facts.width, facts.height) < SMALLEST_JUDGED_SIDE,
        Reason.STRONGLY_COMPRESSED: (facts.jpeg_quality_estimate or 100)
        < LOWEST_JUDGED_JPEG_QUALITY,
    }
    return tuple(reason for reason, holds in found.items() if reason and holds)


def kind_of_graphic(content: Content, limits: Limits = LIMITS) -> Reason | None:
    """Text and line drawings have no colour but that of the paper; all other graphics are called flat."""
    if content.few_tones + limits.edge_weight * content.steep_edges <= limits.graphic:
        return None
    return Reason.TEXT_OR_DRAWING if content.colour <= limits.colour else Reason.FLAT_GRAPHIC


def measure_content(image: Image.Image) -> Content:
    """Measure an RGB image."""
    luma, *chroma = image.convert("YCbCr").split()
    grey_HW = np.asarray(_stretched(luma), dtype=np.int16)
    tones = np.sort(np.bincount(grey_HW.ravel() * TONES // 256, minlength=TONES))
    across = np.abs(np.diff(grey_HW, axis=1))[:-1]
    down = np.abs(np.diff(grey_HW, axis=0))[:, :-1]
    steps = np.bincount(np.maximum(across, down).ravel(), minlength=256)
    n_edges = int(steps[STEP:].sum())
    return Content(
        few_tones=float(tones[-COMMON_TONES:].sum() / grey_HW.size),
        steep_edges=float(steps[STEEP_STEP:].sum() / n_edges) if n_edges else 1.0,
        colour=max(_spread(plane) for plane in chroma) / 255,
    )


def _stretched(plane: Image.Image) -> Image.Image:
    """The darkest and the brightest hundredth become black and white."""
    low, high = _quantiles(plane, 0.01, 0.99)
    scale = 255 / max(high - low, LEAST_CONTRAST)
    return plane.point([min(max(round((level - low) * scale), 0), 255) for level in range(256)])


def _spread(plane: Image.Image) -> int:
    low, middle, high = _quantiles(plane, 0.01, 0.5, 0.99)
    return max(high - middle, middle - low)


def _quantiles(plane: Image.Image, *shares: float) -> list[int]:
    counts = np.cumsum(plane.histogram())
    return [int(np.searchsorted(counts, share * counts[-1])) for share in shares]
