"""Image files, whole and broken ones, made on the spot."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

GRAIN = 10.0
"""Standard deviation of the grey levels of `plain_image`; with 8 bits to a side, few are cut off."""


def plain_image(image_format: str, size: tuple[int, int] = (160, 120), grey: int = 128) -> bytes:
    """A plain wall as a camera sees it: one brightness, 30 to 225 at most, and grain.

    The tiny model scores it by its brightness.
    """
    grain_HW = np.random.default_rng(0).normal(min(max(grey, 30), 225), GRAIN, size[::-1])
    wall = Image.fromarray(grain_HW.clip(0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    wall.convert("RGB").save(buffer, image_format)
    return buffer.getvalue()


def write_dark_photographs_and_bright_ai_images(folder: Path, n: int) -> None:
    """So many of each, 230 pixels wide and high, in the layout of ForenSynths; the bright ones have less grain."""
    rng = np.random.default_rng(0)
    for name, grey, grain in (("0_real", 60, 15), ("1_fake", 190, 5)):
        (folder / name).mkdir(parents=True)
        for i in range(n):
            pixels = rng.normal(grey, grain, (230, 230, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")


def png_declaring(width: int, height: int) -> bytes:
    """A few bytes that claim to be a PNG of this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def padded_png(total_bytes: int) -> bytes:
    """A readable PNG of exactly this many bytes."""
    png = plain_image("PNG")
    end = png.rindex(b"IEND") - 4
    filler = _chunk(b"prVt", b"\0" * (total_bytes - len(png) - 12))
    return png[:end] + filler + png[end:]


def linear_light_profile() -> bytes:
    """An ICC profile with sRGB's primaries and no gamma, so that the same numbers mean brighter colours."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + fixed(*values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, 0x0100) + b"\0\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 7) + b"linear\0" + b"\0" * 79,
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.4361, 0.2225, 0.0139),
        b"gXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    header = struct.pack(">I", start + len(body)) + b"\0\0\0\0\x02\x10\0\0mntrRGB XYZ " + b"\0" * 12
    header += b"acsp" + b"\0" * 28 + fixed(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + table + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
