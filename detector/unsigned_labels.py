"""Reads labels that anyone can add or remove: IPTC in XMP, PNG texts, EXIF fields."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import Literal

from detector.claims import Claim, Signal, SignatureState, Source, claim_of_source_type
from detector.parts import Part, PartKind

GENERATORS = {
    "adobe firefly": "Adobe Firefly",
    "bing image creator": "Bing Image Creator",
    "comfyui": "ComfyUI",
    "dall-e": "DALL-E",
    "dall\N{MIDDLE DOT}e": "DALL-E",
    "diffusionbee": "DiffusionBee",
    "draw things": "Draw Things",
    "dreamstudio": "DreamStudio",
    "easy diffusion": "Easy Diffusion",
    "fooocus": "Fooocus",
    "ideogram": "Ideogram",
    "invokeai": "InvokeAI",
    "leonardo.ai": "Leonardo.Ai",
    "midjourney": "Midjourney",
    "novelai": "NovelAI",
    "stable diffusion": "Stable Diffusion",
    "swarmui": "SwarmUI",
}
"""How the software field of a generator's files begins, in lower case, and the generator's name."""

_PNG_TEXTS = {
    "parameters": (re.compile(r"\bSteps: \d"), "Stable Diffusion web UI"),
    "prompt": (re.compile(r"\S"), "ComfyUI"),
    "workflow": (re.compile(r'"nodes"'), "ComfyUI"),
    "Dream": (re.compile(r"\S"), "InvokeAI"),
}
"""Keyword -> what a generator's text contains, and who writes it under that keyword."""

_COMMENTED_SETTINGS = re.compile(r"\bSteps: \d+, (?:Sampler|Seed|CFG scale|Size|Model)\b")
"""How the Stable Diffusion web UI describes a JPEG in its EXIF comment."""

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_SOURCE_TYPE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"

_ByteOrder = Literal["little", "big"]
_BYTE_ORDERS: dict[bytes, _ByteOrder] = {b"II*\0": "little", b"MM\0*": "big"}
_SOFTWARE, _EXIF_FIELDS, _USER_COMMENT = _FIELDS_USED = (0x0131, 0x8769, 0x9286)
_BYTES_OF_TYPE = {1: 1, 2: 1, 4: 4, 7: 1}  # bytes, text, number, bytes of any meaning
_MAX_FIELD_BYTES = 1 << 16


def read_labels(parts: Iterable[Part]) -> tuple[Signal, ...]:
    """What the labels state, each statement once."""
    signals = (signal for part in parts for signal in _read(part))
    return tuple(dict.fromkeys(signals))


def _read(part: Part) -> Iterator[Signal]:
    if part.kind is PartKind.XMP:
        for value in _digital_source_types(part.content):
            yield _label(Source.XMP_IPTC, claim_of_source_type(value), None)
    elif part.kind is PartKind.TEXT:
        yield from _read_png_text(part.keyword, part.content.decode("utf-8", "replace"))
    elif part.kind is PartKind.EXIF:
        yield from _read_exif(part.content)


def _label(source: Source, claim: Claim, detail: str | None) -> Signal:
    return Signal(source, claim, SignatureState.UNSIGNED, detail)


def _read_png_text(keyword: str, text: str) -> Iterator[Signal]:
    if keyword == "Software":
        generator = _generator(text)
        if generator:
            yield _label(Source.PNG_TEXT, Claim.MADE_WITH_AI, generator)
    elif keyword in _PNG_TEXTS:
        pattern, writer = _PNG_TEXTS[keyword]
        if pattern.search(text):
            yield _label(Source.PNG_TEXT, Claim.MADE_WITH_AI, writer)
        else:
            yield _label(Source.PNG_TEXT, Claim.UNKNOWN, None)


def _read_exif(tiff: bytes) -> Iterator[Signal]:
    fields = _tiff_fields(tiff)
    generator = _generator(fields.get(_SOFTWARE, b"").decode("utf-8", "replace"))
    if generator:
        yield _label(Source.EXIF, Claim.MADE_WITH_AI, generator)
    comment = fields.get(_USER_COMMENT, b"")
    # Its first 8 bytes name an encoding, without the byte order, and are often wrong.
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        if _COMMENTED_SETTINGS.search(comment[8:].decode(encoding, "ignore")):
            yield _label(Source.EXIF, Claim.MADE_WITH_AI, "Stable Diffusion web UI")


def _generator(software: str) -> str | None:
    software = software.strip().lower()
    return next((name for start, name in GENERATORS.items() if software.startswith(start)), None)


def _digital_source_types(packet: bytes) -> Iterator[str]:
    """The IPTC digital source types of the picture itself, not of what it was made from."""
    text = packet.decode("utf-8", "replace").strip("\0 \r\n\t\ufeff")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return
    try:
        root = ET.fromstring(text)  # noqa: S314 - without a DOCTYPE there are no entities
    except (ET.ParseError, ValueError):
        return
    rdf = root if root.tag == f"{_RDF}RDF" else root.find(f"{_RDF}RDF")
    for description in () if rdf is None else rdf.findall(f"{_RDF}Description"):
        if _SOURCE_TYPE in description.attrib:
            yield description.attrib[_SOURCE_TYPE]
        for element in description.findall(_SOURCE_TYPE):
            yield element.get(f"{_RDF}resource") or element.text or ""


def _tiff_fields(tiff: bytes) -> dict[int, bytes]:
    """The fields we use, of the first directory and of the EXIF directory it points to."""
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return {}
    fields = _directory(tiff, int.from_bytes(tiff[4:8], order), order)
    if _EXIF_FIELDS in fields:
        fields |= _directory(tiff, int.from_bytes(fields[_EXIF_FIELDS], order), order)
    return fields


def _directory(tiff: bytes, start: int, order: _ByteOrder) -> dict[int, bytes]:
    """A directory that is cut off has the fields before the cut."""
    fields: dict[int, bytes] = {}
    count = int.from_bytes(tiff[start : start + 2], order)
    for at in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind = (int.from_bytes(tiff[at + i : at + i + 2], order) for i in (0, 2))
        if tag not in _FIELDS_USED or kind not in _BYTES_OF_TYPE:
            continue
        length = int.from_bytes(tiff[at + 4 : at + 8], order) * _BYTES_OF_TYPE[kind]
        value = at + 8 if length <= 4 else int.from_bytes(tiff[at + 8 : at + 12], order)
        fields[tag] = tiff[value : value + min(length, _MAX_FIELD_BYTES)]
    return fields
