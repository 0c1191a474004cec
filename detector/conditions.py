"""The states in which an image reaches us, and in which error rates are measured."""

import io
from dataclasses import dataclass

from PIL import Image

from detector.image import MediaFacts
from detector.preprocess import PreprocessSpec, shrink_to

SMALLEST_SIDE = PreprocessSpec().crop_size
"""In pixels: what is smaller is no longer cut but extended."""


@dataclass(frozen=True)
class Condition:
    """A re-save as social media apply it. `None` leaves that aspect of the image alone."""

    name: str
    max_long_side: int | None = None
    """In pixels."""
    max_scale: float | None = None
    """Of the image's own size, 0..1; the short side is not brought below SMALLEST_SIDE for it."""
    jpeg_quality: int | None = None

    def apply(self, image: Image.Image) -> Image.Image:
        """Return the RGB image as it looks after this re-save."""
        image = shrink_to(image, self._long_side(image.size))
        if self.jpeg_quality is not None:
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=self.jpeg_quality)
            image = Image.open(buffer)
            image.load()
        return image

    def _long_side(self, size: tuple[int, int]) -> int:
        """At most so many pixels."""
        limit = max(size)
        if self.max_long_side is not None:
            limit = min(limit, self.max_long_side)
        if self.max_scale is not None:
            scale = max(self.max_scale, SMALLEST_SIDE / min(size))
            limit = min(limit, round(scale * max(size)))
        return limit


CLEAN = Condition("clean")
WEB = Condition("web", max_long_side=768, jpeg_quality=60)
HARD = Condition("hard", max_long_side=512, jpeg_quality=40)

CONDITIONS = (CLEAN, WEB, HARD)
"""Those for which bands are fitted and error rates shown."""


def condition_of(facts: MediaFacts) -> Condition:
    """The measured condition that a file resembles most, by its estimated JPEG quality."""
    quality = facts.jpeg_quality_estimate
    if quality is None or quality > 65:
        return CLEAN
    return WEB if quality > 50 else HARD
