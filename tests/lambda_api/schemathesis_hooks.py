"""Loaded by Schemathesis itself: a file part of any image type is plain bytes."""

import schemathesis

from detector.image import PILLOW_FORMATS

schemathesis.serializer.alias(
    [f"image/{name}" for name in PILLOW_FORMATS], "application/octet-stream"
)
