"""Finds metadata in image and video files by walking their structure, never by searching their bytes.

What lies outside the structure, such as behind the end of an image or inside a comment, is not
seen. Where a file stops making sense, its walk ends, and what was found until there counts.
"""

import zlib
from collections.abc import Callable, Iterator

from detector.isobmff import walk_isobmff
from detector.parts import ByteReader, Cut, Part, PartKind

MAX_STEPS = 20_000
"""Segments, filling bytes or chunks looked at in one file."""
MAX_PARTS = 16
"""Parts taken from one file."""
MAX_PART_BYTES = 1 << 20
"""Of one part, unpacked. A longer text is cut there; any other longer part is passed over."""

_XMP_KEYWORD = "XML:com.adobe.xmp"
_TEXT_KEYWORDS = {"parameters", "prompt", "workflow", "Dream", "Software", _XMP_KEYWORD}
_EXIF_HEADER = b"Exif\0\0"
_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"


def find_parts(data: bytes, format_name: str) -> tuple[Part, ...]:
    """The metadata of a file in a format that `sniff_format` or `sniff_video` names.

    WMV, WebM and MKV have no place for such statements, so nothing is found in them.
    What a file has of C2PA comes last, in one part of any length; it is enough to tell that there
    is some, and how much.
    """
    parts: list[Part] = []
    store: list[bytes] = []
    try:
        for part in _WALKS.get(format_name, _walk_nothing)(ByteReader(data)):
            if part.kind is PartKind.C2PA:
                store.append(part.content)
            elif len(part.content) <= MAX_PART_BYTES:
                parts.append(part)
            if len(parts) == MAX_PARTS:
                break
    except Cut:
        pass
    if store:
        parts.append(Part(PartKind.C2PA, b"".join(store)))
    return tuple(parts)


def _walk_jpeg(file: ByteReader) -> Iterator[Part]:
    """Segments up to the first scan."""
    file.skip(2)
    is_after_prefix = False
    for _ in range(MAX_STEPS):
        marker = file.uint(1)
        if marker == 0xFF:  # one comes before each marker, more are filling
            is_after_prefix = True
            continue
        if not is_after_prefix or marker in {0xD9, 0xDA}:  # end of the image, start of a scan
            return
        is_after_prefix = False
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a length
            continue
        segment = file.within(file.uint(2) - 2)
        if marker == 0xE1:
            content = segment.rest(MAX_PART_BYTES)
            if content.startswith(_EXIF_HEADER):
                yield Part(PartKind.EXIF, content.removeprefix(_EXIF_HEADER))
            elif content.startswith(_XMP_HEADER):
                yield Part(PartKind.XMP, content.removeprefix(_XMP_HEADER))
        elif marker == 0xEB:
            content = segment.rest(segment.left)
            if content[:2] == b"JP" and content[12:16] == b"jumb":
                yield Part(PartKind.C2PA, content)


def _walk_png(file: ByteReader) -> Iterator[Part]:
    """Chunks from IHDR to IEND."""
    file.skip(8)
    may_inflate = 4 * MAX_PART_BYTES
    for step in range(MAX_STEPS):
        length, kind = file.uint(4), file.take(4)
        if kind == b"IEND" or (kind == b"IHDR") != (step == 0):
            return
        chunk = file.within(length)
        file.skip(4)  # checksum
        if kind in {b"tEXt", b"zTXt", b"iTXt"}:
            part, inflated = _read_png_text(kind, chunk, may_inflate)
            may_inflate -= inflated
            if part:
                yield part
        elif kind == b"eXIf":
            yield Part(PartKind.EXIF, chunk.take(length))
        elif kind == b"caBX":
            yield Part(PartKind.C2PA, chunk.take(length))


def _read_png_text(kind: bytes, chunk: ByteReader, may_inflate: int) -> tuple[Part | None, int]:
    """The text, if its keyword is one we look for, and how many bytes unpacking it gave."""
    try:
        keyword = chunk.name(80)
        if keyword not in _TEXT_KEYWORDS:
            return None, 0
        is_packed = kind == b"zTXt" or (kind == b"iTXt" and chunk.uint(1) == 1)
        if kind != b"tEXt":
            chunk.skip(1)  # the method of compression; there is only one
        if kind == b"iTXt":
            chunk.name(100)  # language
            chunk.name(400)  # translated keyword
        content = chunk.rest(chunk.left if is_packed else MAX_PART_BYTES)
        if is_packed:
            limit = max(1, min(MAX_PART_BYTES, may_inflate))
            content = zlib.decompressobj().decompress(content, limit)
    except (Cut, zlib.error):
        return None, 0
    part_kind = PartKind.XMP if keyword == _XMP_KEYWORD else PartKind.TEXT
    return Part(part_kind, content, keyword), len(content) if is_packed else 0


def _walk_riff(file: ByteReader) -> Iterator[Part]:
    """Chunks of WebP and AVI inside the length that the RIFF declares."""
    file.skip(4)
    form = file.within(min(_little_endian(file), file.left))
    form.skip(4)
    for _ in range(MAX_STEPS):
        kind, length = form.take(4), _little_endian(form)
        chunk = form.within(length)
        if kind == b"EXIF":
            yield Part(PartKind.EXIF, chunk.take(length).removeprefix(_EXIF_HEADER))
        elif kind == b"XMP ":
            yield Part(PartKind.XMP, chunk.take(length))
        elif kind == b"C2PA":
            yield Part(PartKind.C2PA, chunk.take(length))
        form.skip(length % 2)


def _little_endian(file: ByteReader) -> int:
    return int.from_bytes(file.take(4), "little")


def _walk_nothing(_file: ByteReader) -> Iterator[Part]:
    return iter(())


_WALKS: dict[str, Callable[[ByteReader], Iterator[Part]]] = {
    "jpeg": _walk_jpeg,
    "png": _walk_png,
    "webp": _walk_riff,
    "avi": _walk_riff,
    "avif": walk_isobmff,
    "heic": walk_isobmff,
    "mp4": walk_isobmff,
    "mov": walk_isobmff,
}
