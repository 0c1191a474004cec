"""Labels without a signature: which are understood, and which hostile ones do no harm."""

import pytest

from detector.claims import Claim, Source
from detector.provenance import read_provenance
from tests.images import plain_image
from tests.metadata import (
    SETTINGS,
    SOURCE_TYPES,
    exif,
    jpeg_with,
    text_chunk,
    with_chunks,
    xmp,
)

JPEG, PNG = plain_image("JPEG"), plain_image("PNG")
WORKFLOW = b'{"last_node_id": 9, "nodes": [{"id": 1, "type": "KSampler"}], "links": []}'
GRAPH = b'{"3": {"class_type": "KSampler", "inputs": {"text": "a secret wish"}}}'


def statements(data: bytes) -> list[tuple[str, str, str | None]]:
    name = "png" if data.startswith(b"\x89") else "jpeg"
    signals = read_provenance(data, name).signals
    assert all(each.validation == "unsigned" for each in signals)
    return [(each.source, each.claim, each.detail) for each in signals]


@pytest.mark.parametrize("as_element", [False, True])
@pytest.mark.parametrize("start", [SOURCE_TYPES, "digsrctype:", ""])
@pytest.mark.parametrize(
    ("term", "claim"),
    [
        ("trainedAlgorithmicMedia", Claim.MADE_WITH_AI),
        ("compositeWithTrainedAlgorithmicMedia", Claim.EDITED_WITH_AI),
        ("digitalCapture", Claim.CAPTURED),
        ("computationalCapture", Claim.CAPTURED),
        ("screenCapture", Claim.UNKNOWN),
        ("notTrainedAlgorithmicMedia", Claim.UNKNOWN),
    ],
)
def test_source_types(start: str, term: str, claim: Claim, as_element: bool) -> None:
    """The terms of IPTC are understood in full and in short, as attribute and as element."""
    label = xmp(start + term, as_element=as_element)

    assert [(Source.XMP_IPTC, claim, None)] == statements(jpeg_with(JPEG, xmp=label))


def test_a_source_type_as_a_resource() -> None:
    """The address may also stand in an attribute of the element."""
    address = f"{SOURCE_TYPES}trainedAlgorithmicMedia".encode()
    label = xmp("X", as_element=True).replace(
        b"DigitalSourceType>X</Iptc4xmpExt:DigitalSourceType>",
        b'DigitalSourceType rdf:resource="' + address + b'"/>',
    )

    assert [("xmp_iptc", "made_with_ai", None)] == statements(jpeg_with(JPEG, xmp=label))


def test_a_source_type_of_something_else_is_passed_over() -> None:
    """Only the description of the picture itself counts, not one of what it was made from."""
    inner = b'<xmpMM:Ingredients xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"><rdf:Bag><rdf:li>'
    own = b"<Iptc4xmpExt:DigitalSourceType>trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"
    packet = xmp("trainedAlgorithmicMedia", as_element=True).replace(
        own, inner + own + b"</rdf:li></rdf:Bag></xmpMM:Ingredients>"
    )

    assert inner in packet
    assert [] == statements(jpeg_with(JPEG, xmp=packet))


def test_the_word_alone_is_no_label() -> None:
    """A description that mentions the term states nothing."""
    packet = xmp("digitalArt").replace(b'about=""', b'about="trainedAlgorithmicMedia"')

    assert [("xmp_iptc", "unknown", None)] == statements(jpeg_with(JPEG, xmp=packet))


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
@pytest.mark.parametrize(
    ("keyword", "text", "claim", "detail"),
    [
        ("parameters", SETTINGS.encode(), "made_with_ai", "Stable Diffusion web UI"),
        ("parameters", b"width=3, height=4", "unknown", None),
        ("prompt", GRAPH, "made_with_ai", "ComfyUI"),
        ("prompt", b"a secret wish", "made_with_ai", "ComfyUI"),
        ("workflow", WORKFLOW, "made_with_ai", "ComfyUI"),
        ("workflow", b"scan, straighten, file", "unknown", None),
        ("Dream", b'"a secret wish" -s 50 -S 1 -W 512', "made_with_ai", "InvokeAI"),
        ("Software", b"NovelAI", "made_with_ai", "NovelAI"),
        ("Software", "DALL\N{MIDDLE DOT}E 3".encode(), "made_with_ai", "DALL-E"),
    ],
)
def test_png_texts(kind: bytes, keyword: str, text: bytes, claim: str, detail: str | None) -> None:
    """Texts of generators are known by keyword and form, packed or not."""
    data = with_chunks(PNG, text_chunk(keyword, text, kind=kind))

    assert [("png_text", claim, detail)] == statements(data)


def test_source_type_in_a_png() -> None:
    """XMP in a PNG is a text under a keyword of its own."""
    chunk = text_chunk("XML:com.adobe.xmp", xmp("trainedAlgorithmicMedia"), kind=b"iTXt")

    assert [("xmp_iptc", "made_with_ai", None)] == statements(with_chunks(PNG, chunk))


@pytest.mark.parametrize("keyword", ["Comment", "Title", "Parameters", "parameters "])
def test_other_png_texts_say_nothing(keyword: str) -> None:
    """The same words under another keyword are somebody's words."""
    chunk = text_chunk(keyword, SETTINGS.encode())

    assert [] == statements(with_chunks(PNG, chunk))


def test_the_same_statement_is_given_once() -> None:
    """Prompt and workflow of one generator are one statement."""
    chunks = (text_chunk("prompt", GRAPH), text_chunk("workflow", WORKFLOW))

    assert 1 == len(statements(with_chunks(PNG, *chunks)))


@pytest.mark.parametrize(
    ("software", "generator"),
    [
        ("Midjourney 6.1", "Midjourney"),
        ("Adobe Firefly", "Adobe Firefly"),
        ("Adobe Photoshop 27.0", None),
        ("17.5.1", None),
        ("not Midjourney", None),
    ],
)
def test_exif_software(software: str, generator: str | None) -> None:
    """A generator that names itself is named; other software is not mentioned."""
    found = statements(jpeg_with(JPEG, exif=exif(software=software)))

    expected = [("exif", "made_with_ai", generator)] if generator else []
    assert expected == found


@pytest.mark.parametrize(
    "comment",
    [
        b"ASCII\0\0\0" + SETTINGS.encode(),
        b"UNICODE\0" + SETTINGS.encode("utf-16-be"),
        b"UNICODE\0" + SETTINGS.encode("utf-16-le"),
        b"\0" * 8 + SETTINGS.encode(),
    ],
)
def test_exif_comment(comment: bytes) -> None:
    """Settings of a generator are found in each encoding that is in use."""
    found = statements(jpeg_with(JPEG, exif=exif(comment=comment)))

    assert [("exif", "made_with_ai", "Stable Diffusion web UI")] == found


def test_an_ordinary_comment_says_nothing() -> None:
    """A comment is somebody's words, even where they count steps."""
    comment = b"ASCII\0\0\0Steps: 20, then a left turn"

    assert [] == statements(jpeg_with(JPEG, exif=exif(comment=comment)))


def test_no_words_of_a_person_get_out() -> None:
    """Details never hold what was typed into a generator."""
    chunks = (text_chunk("prompt", GRAPH), text_chunk("parameters", SETTINGS.encode()))

    assert not {"secret", "cat"} & set(str(statements(with_chunks(PNG, *chunks))).split())


@pytest.mark.parametrize(
    "start",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "http://127.0.0.1:9/">]>',
    ],
)
def test_xmp_with_a_doctype_is_not_parsed(start: bytes) -> None:
    """Entities would be a way to fill memory or to read other files."""
    packet = start + xmp("trainedAlgorithmicMedia").partition(b"?>")[2]

    assert [] == statements(jpeg_with(JPEG, xmp=packet))


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"<",
        b"\xff\xfe" * 100,
        b"<x>" * 20_000,
        b"<a xmlns='b'/>",
        xmp("trainedAlgorithmicMedia").decode().encode("utf-16"),
        xmp("trainedAlgorithmicMedia")[:-60],
    ],
)
def test_xmp_that_cannot_be_read_says_nothing(packet: bytes) -> None:
    """Wrong encodings, cut packets and deep nesting end in silence."""
    assert [] == statements(jpeg_with(JPEG, xmp=packet))


def test_exif_that_points_nowhere_says_nothing() -> None:
    """Directories that loop, overlap or lie outside the file are read at most once each."""
    tiff = exif(software="Midjourney", comment=b"ASCII\0\0\0" + SETTINGS.encode())
    for cut in range(len(tiff)):
        statements(jpeg_with(JPEG, exif=tiff[:cut]))
    for start in (0, 4, len(tiff) - 1, 2**32 - 1):
        moved = tiff[:4] + start.to_bytes(4, "big") + tiff[8:]
        assert [] == [each for each in statements(jpeg_with(JPEG, exif=moved)) if start > 8]
