"""Damaged files made from whole ones: the same number always gives the same file."""

import io
from collections.abc import Callable

import numpy as np
import pillow_heif
from PIL import Image
from skimage import data

from tests.metadata import exif, xmp
from tests.videos import CODECS, encode

Mutation = Callable[[bytes, list[bytes], np.random.Generator], bytes]

_HUGE = (0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0x7FFFFFF0, 0x00FFFFFF, 0)
_HEADER_BYTES = 600
_NESTING = 200


def whole_files() -> list[bytes]:
    """One small file of each format that is read; the images have labels of their origin."""
    pillow_heif.register_heif_opener()
    photo = Image.fromarray(data.astronaut()).resize((96, 80))
    labels = {
        "xmp": xmp("trainedAlgorithmicMedia"),
        "exif": b"Exif\0\0" + exif(software="Midjourney"),
    }
    files = []
    for name in ("JPEG", "PNG", "WEBP", "AVIF", "HEIF"):
        buffer = io.BytesIO()
        photo.save(buffer, name, **labels)
        files.append(buffer.getvalue())
    views = [(i / 10, photo.rotate(3 * i)) for i in range(12)]
    return files + [encode(views, name) for name in CODECS]


def mutant(number: int, wholes: list[bytes], seed: int) -> bytes:
    """The damaged file of this number: of each whole one in turn, damaged in one to three ways."""
    rng = np.random.default_rng([seed, number])
    file = wholes[number % len(wholes)]
    for _ in range(rng.integers(1, 4)):
        file = MUTATIONS[rng.integers(len(MUTATIONS))](file, wholes, rng)
    return file


def _place(file: bytes, rng: np.random.Generator) -> int:
    """Half of the time near the start, where the structure is."""
    end = len(file) if rng.random() < 0.5 else min(len(file), _HEADER_BYTES)
    return int(rng.integers(0, max(end, 1)))


def _flip_bits(file: bytes, _wholes: list[bytes], rng: np.random.Generator) -> bytes:
    changed = bytearray(file)
    for _ in range(rng.integers(1, 33) if file else 0):
        changed[_place(file, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _truncate(file: bytes, _wholes: list[bytes], rng: np.random.Generator) -> bytes:
    return file[: _place(file, rng)]


def _swap_chunks(file: bytes, _wholes: list[bytes], rng: np.random.Generator) -> bytes:
    length = int(rng.integers(1, 257))
    a, b = sorted((_place(file, rng), _place(file, rng)))
    if b < a + length:
        return file
    return b"".join(
        [
            file[:a],
            file[b : b + length],
            file[a + length : b],
            file[a : a + length],
            file[b + length :],
        ]
    )


def _declare_huge_sizes(file: bytes, _wholes: list[bytes], rng: np.random.Generator) -> bytes:
    changed = bytearray(file)
    for _ in range(rng.integers(1, 5)):
        at, width = _place(file, rng), int(rng.choice([2, 4, 8]))
        number = _HUGE[rng.integers(len(_HUGE))] & ((1 << 8 * width) - 1)
        changed[at : at + width] = number.to_bytes(width, "big" if rng.random() < 0.7 else "little")
    return bytes(changed)


def _repeat(file: bytes, _wholes: list[bytes], rng: np.random.Generator) -> bytes:
    start = _place(file, rng)
    stretch = file[start : start + int(rng.integers(1, 513))]
    return file[:start] + stretch * int(rng.integers(2, 200)) + file[start:]


def _put_inside(file: bytes, wholes: list[bytes], rng: np.random.Generator) -> bytes:
    at = _place(file, rng)
    return file[:at] + wholes[rng.integers(len(wholes))] + file[at:]


def _nest(file: bytes, _wholes: list[bytes], rng: np.random.Generator) -> bytes:
    """Boxes in boxes in boxes, with the file in the innermost, behind its own first bytes."""
    kind = (b"moov", b"trak", b"meta", b"LIST", b"mdat")[rng.integers(5)]
    start, inner = file[: int(rng.integers(12, 65))], file
    for _ in range(_NESTING):
        inner = (len(inner) + 8).to_bytes(4, "big") + kind + inner
    return start + inner


MUTATIONS: tuple[Mutation, ...] = (
    _flip_bits,
    _truncate,
    _swap_chunks,
    _declare_huge_sizes,
    _repeat,
    _put_inside,
    _nest,
)
