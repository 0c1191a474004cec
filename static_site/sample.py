"""The picture that anyone can try the detector with: a landscape that this program draws, so it belongs to nobody.

Rough ground and a grainy sky, since a smooth drawing would be set aside as a graphic.
"""

import io
from functools import cache

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 896, 616
_SEED = 5
_LAYERS = (
    # distance of the ridge from the top, its height, and its colour
    (0.50, 0.20, (143, 158, 196)),
    (0.64, 0.12, (94, 118, 150)),
    (0.76, 0.14, (58, 84, 82)),
    (0.90, 0.12, (38, 54, 38)),
)


@cache
def draw_sample() -> bytes:
    """The same JPEG each time, 896 x 616 pixels."""
    random = np.random.default_rng(_SEED)
    rows_H1 = np.linspace(0, 1, HEIGHT)[:, None]
    columns_W = np.linspace(-1, 1, WIDTH)

    clouds_HW = _noise(random, (HEIGHT, WIDTH), roughness=1.25)
    glow_HW = np.exp(-((columns_W - 0.45) ** 2) * 5 - (rows_H1 - 0.42) ** 2 * 22)
    sky_HW3 = (
        np.array([118, 152, 205])
        + rows_H1[..., None] * np.array([112, 74, 20])
        + glow_HW[..., None] * np.array([50, 30, -30])
        + clouds_HW[..., None] * np.array([34, 30, 26])
    )

    picture_HW3 = sky_HW3
    for top, height, colour in _LAYERS:
        ridge_W = top - height * _noise(random, (1, WIDTH), roughness=1.3)[0]
        ground_HW = _noise(random, (HEIGHT, WIDTH), roughness=0.85)
        light_HW = 1 + 0.42 * ground_HW + 0.5 * (rows_H1 - ridge_W)
        layer_HW3 = light_HW[..., None] * np.array(colour)
        cover_HW = np.clip((rows_H1 - ridge_W) * HEIGHT / 2, 0, 1)
        picture_HW3 = picture_HW3 + cover_HW[..., None] * (layer_HW3 - picture_HW3)

    grain_HW3 = random.normal(0, 3.2, picture_HW3.shape)
    image = Image.fromarray((picture_HW3 + grain_HW3).clip(0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _noise(random: np.random.Generator, shape: tuple[int, int], *, roughness: float) -> np.ndarray:
    """Clouds, ridges or ground: noise about 0, fainter the finer it is, between -1 and 1."""
    frequencies = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]))
    frequencies[0, 0] = np.inf
    size = frequencies.shape
    waves = (random.normal(size=size) + 1j * random.normal(size=size)) / frequencies ** (
        roughness + (shape[0] > 1) * 0.5
    )
    noise = np.fft.irfft2(waves, shape)
    scaled: np.ndarray = noise / np.abs(noise).max()
    return scaled
