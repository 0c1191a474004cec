"""Walks the boxes of HEIC, AVIF, MP4 and MOV files (ISO/IEC 14496-12 and 23008-12) for metadata."""

from collections.abc import Iterator
from dataclasses import dataclass

from detector.parts import ByteReader, Part, PartKind

MAX_STEPS = 20_000
"""Boxes, items and extents looked at in one file."""
MAX_ITEM_BYTES = 1 << 20

_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_KIND_OF_ITEM = {"Exif": PartKind.EXIF, "mime:application/rdf+xml": PartKind.XMP}


@dataclass(frozen=True)
class _Box:
    kind: bytes
    body: ByteReader


def walk_isobmff(file: ByteReader) -> Iterator[Part]:
    """Metadata of the file itself and of the items in its `meta` box."""
    whole = file.again()
    steps = iter(range(MAX_STEPS))
    for box in _boxes(file, steps):
        if box.kind == b"meta":
            box.body.skip(4)  # version and flags
            yield from _read_items(whole, list(_boxes(box.body, steps)), steps)
        elif box.kind == b"uuid":
            kind = box.body.take(16)
            if kind == _C2PA_UUID:
                yield Part(PartKind.C2PA, box.body.rest(box.body.left))
            elif kind == _XMP_UUID:
                yield Part(PartKind.XMP, box.body.rest(box.body.left))


def _boxes(file: ByteReader, steps: Iterator[int]) -> Iterator[_Box]:
    while file.left and next(steps, None) is not None:
        length, kind, header = file.uint(4), file.take(4), 8
        if length == 1:
            length, header = file.uint(8), 16
        body = file.within(length - header if length else file.left)
        yield _Box(kind, body)


def _read_items(whole: ByteReader, boxes: list[_Box], steps: Iterator[int]) -> Iterator[Part]:
    kinds: dict[int, PartKind] = {}
    inside = ByteReader(b"")
    for box in boxes:
        if box.kind == b"iinf":
            kinds = dict(_item_kinds(box.body, steps))
        elif box.kind == b"idat":
            inside = box.body
    for box in boxes:
        if box.kind == b"iloc":
            for item, is_inside, extents in _item_places(box.body, steps):
                if item in kinds:
                    yield _read_item(kinds[item], inside if is_inside else whole, extents)


def _item_kinds(body: ByteReader, steps: Iterator[int]) -> Iterator[tuple[int, PartKind]]:
    version = body.uint(1)
    body.skip(3)
    body.skip(2 if version == 0 else 4)  # the number of entries
    for entry in _boxes(body, steps):
        version = entry.body.uint(1)
        if entry.kind != b"infe" or version < 2:
            continue
        entry.body.skip(3)
        item = entry.body.uint(2 if version == 2 else 4)
        entry.body.skip(2)  # protection
        kind = entry.body.take(4).decode("latin-1")
        if kind == "mime":
            entry.body.name(1000)
            kind = f"mime:{entry.body.name(100)}"
        if kind in _KIND_OF_ITEM:
            yield item, _KIND_OF_ITEM[kind]


def _item_places(
    body: ByteReader, steps: Iterator[int]
) -> Iterator[tuple[int, bool, list[tuple[int, int]]]]:
    """Per item: its number, whether it lies in `idat`, and its stretches as (start, length)."""
    version = body.uint(1)
    body.skip(3)
    sizes = body.uint(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    for _ in range(body.uint(wide)):
        if next(steps, None) is None:
            return
        item = body.uint(wide)
        method = body.uint(2) & 15 if version else 0
        body.skip(2)  # data reference
        base = body.uint(base_size)
        extents = []
        for _ in range(body.uint(2)):
            if next(steps, None) is None:
                return
            body.skip(index_size)
            extents.append((base + body.uint(offset_size), body.uint(length_size)))
        if method < 2:
            yield item, method == 1, extents


def _read_item(kind: PartKind, place: ByteReader, extents: list[tuple[int, int]]) -> Part:
    content = b""
    for start, length in extents:
        if len(content) + length <= MAX_ITEM_BYTES:
            stretch = place.again()
            stretch.skip(start)
            content += stretch.take(length)
    if kind is PartKind.EXIF:  # starts with how far ahead the TIFF stream lies
        exif = ByteReader(content)
        exif.skip(exif.uint(4))
        content = exif.rest(exif.left)
    return Part(kind, content)
