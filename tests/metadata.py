"""Image files with labels in them, put together chunk by chunk."""

import io
import struct
import zlib
from collections.abc import Iterable

import pillow_heif
from PIL import Image

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SETTINGS = "a cat in a hat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512"


def xmp(source_type: str, *, as_element: bool = False) -> bytes:
    """An XMP packet with an IPTC digital source type."""
    field = f"Iptc4xmpExt:DigitalSourceType>{source_type}</Iptc4xmpExt:DigitalSourceType"
    attribute = "" if as_element else f' Iptc4xmpExt:DigitalSourceType="{source_type}"'
    element = f"<{field}>" if as_element else ""
    return (
        '<?xpacket begin="\N{BYTE ORDER MARK}" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about=""'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        f"{attribute}>{element}</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    ).encode()


def exif(*, software: str | None = None, comment: bytes | None = None) -> bytes:
    """A TIFF stream with these fields, without a header in front."""
    fields = Image.Exif()
    if software is not None:
        fields[0x0131] = software
    if comment is not None:
        fields.get_ifd(0x8769)[0x9286] = comment
    return fields.tobytes().removeprefix(b"Exif\0\0")


def with_segments(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with these segments (marker, content) in front of its own."""
    extra = b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
        for marker, content in segments
    )
    return jpeg[:2] + extra + jpeg[2:]


def with_chunks(png: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with these chunks (kind, content) behind its header."""
    extra = b"".join(png_chunk(kind, content) for kind, content in chunks)
    return png[:33] + extra + png[33:]


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk with its length and checksum."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def text_chunk(keyword: str, text: bytes, *, kind: bytes = b"tEXt") -> tuple[bytes, bytes]:
    """A PNG text in one of its three forms; iTXt is packed here."""
    start = keyword.encode("latin-1") + b"\0"
    if kind == b"tEXt":
        return kind, start + text
    start += b"\0" if kind == b"zTXt" else b"\1\0\0\0"
    return kind, start + zlib.compress(text, 9)


def jpeg_with(image: bytes, *, xmp: bytes | None = None, exif: bytes | None = None) -> bytes:
    """A JPEG with these labels where JPEG files have them."""
    segments: list[tuple[int, bytes]] = []
    if exif is not None:
        segments.append((0xE1, b"Exif\0\0" + exif))
    if xmp is not None:
        segments.append((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp))
    return with_segments(image, *segments)


def saved_with(image_format: str, *, xmp: bytes | None = None, exif: bytes | None = None) -> bytes:
    """An image that an ordinary program saved with these labels."""
    pillow_heif.register_heif_opener()
    options = {"xmp": xmp, "exif": exif and b"Exif\0\0" + exif}
    buffer = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").save(
        buffer, image_format, **{key: value for key, value in options.items() if value}
    )
    return buffer.getvalue()


def webp(*chunks: tuple[bytes, bytes], trailer: bytes = b"") -> bytes:
    """The frame of a WebP file with these chunks and nothing to see."""
    body = b"WEBP" + b"".join(riff_chunk(kind, content) for kind, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body + trailer


def riff_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk, padded to an even length."""
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def box(kind: bytes, *contents: bytes) -> bytes:
    """A box of an ISO media file."""
    body = b"".join(contents)
    return struct.pack(">I", len(body) + 8) + kind + body


def heic(items: Iterable[tuple[bytes, bytes]], *, in_idat: bool = False) -> bytes:
    """The frame of an HEIC file with items (type with its names, content) and nothing to see."""
    start = box(b"ftyp", b"heic\0\0\0\0heic")
    items = list(items)
    infos = [
        box(b"infe", b"\2\0\0\0", struct.pack(">HH", number, 0), kind)
        for number, (kind, _) in enumerate(items, 1)
    ]
    iinf = box(b"iinf", b"\0\0\0\0", struct.pack(">H", len(items)), *infos)
    inside = b"".join(content for _, content in items)

    def meta(base: int) -> bytes:
        places, at = [], base
        for number, (_, content) in enumerate(items, 1):
            places.append(struct.pack(">HHHHII", number, int(in_idat), 0, 1, at, len(content)))
            at += len(content)
        iloc = box(b"iloc", b"\1\0\0\0\x44\0", struct.pack(">H", len(items)), *places)
        return box(b"meta", b"\0\0\0\0", iinf, iloc, box(b"idat", inside) if in_idat else b"")

    if in_idat:
        return start + meta(0)
    return start + meta(len(start) + len(meta(0)) + 8) + box(b"mdat", inside)
