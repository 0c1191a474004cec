"""Image files, whole and broken ones, made on the spot."""

import io
import struct
import zlib

from PIL import Image


def plain_image(image_format: str, size: tuple[int, int] = (160, 120), grey: int = 128) -> bytes:
    """One colour all over; the tiny model scores it by its brightness."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (grey, grey, grey)).save(buffer, image_format)
    return buffer.getvalue()


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


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
