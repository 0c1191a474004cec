"""Walking containers: where metadata counts, where it does not, and files made to do harm."""

import random
import struct
import time
import tracemalloc
import zlib

import pytest

from detector.containers import MAX_PARTS, find_parts
from detector.parts import PartKind
from detector.provenance import ProvenanceState, read_provenance
from tests.images import plain_image
from tests.metadata import (
    SETTINGS,
    box,
    exif,
    heic,
    jpeg_with,
    png_chunk,
    saved_with,
    text_chunk,
    webp,
    with_chunks,
    with_segments,
    xmp,
)
from tests.signing import MADE, sign
from tests.videos import encode, steady

JPEG, PNG = plain_image("JPEG"), plain_image("PNG")
LABEL = xmp("trainedAlgorithmicMedia")
PARAMETERS = png_chunk(*text_chunk("parameters", SETTINGS.encode()))
EXIF = exif(software="Midjourney")
LONGEST_SECONDS = 2.0
MOST_BYTES = 100_000_000


def state(data: bytes, format_name: str) -> str:
    return read_provenance(data, format_name).state


@pytest.mark.parametrize(
    "trailer",
    [
        b"jumbfc2pa\0\0\0\0",
        b"c2pa",
        PARAMETERS,
        PNG[:33] + PARAMETERS + PNG[33:],
        b"\xff\xe1"
        + struct.pack(">H", len(LABEL) + 31)
        + b"http://ns.adobe.com/xap/1.0/\0"
        + LABEL,
        jpeg_with(JPEG, xmp=LABEL, exif=EXIF),
    ],
)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_nothing_behind_the_end_counts(image_format: str, trailer: bytes) -> None:
    """Bytes appended to a picture say nothing, whatever they spell."""
    name = image_format.lower().replace("heif", "heic")

    assert ProvenanceState.NONE_FOUND == state(saved_with(image_format) + trailer, name)


def test_a_signed_trailer_does_not_count() -> None:
    """A whole signed file behind another does not sign that one."""
    assert ProvenanceState.NONE_FOUND == state(JPEG + sign(saved_with("JPEG"), MADE), "jpeg")


@pytest.mark.parametrize(
    "content", [PARAMETERS, PNG[:33] + PARAMETERS, LABEL, EXIF, b"Exif\0\0" + EXIF, b"jumbc2pa"]
)
@pytest.mark.parametrize("marker", [0xFE, 0xE2, 0xED])
def test_other_segments_of_a_jpeg_say_nothing(marker: int, content: bytes) -> None:
    """A PNG chunk or a label inside a comment is a comment."""
    assert ProvenanceState.NONE_FOUND == state(with_segments(JPEG, (marker, content)), "jpeg")


@pytest.mark.parametrize("content", [PARAMETERS, LABEL, jpeg_with(JPEG, xmp=LABEL)])
def test_other_chunks_of_a_png_say_nothing(content: bytes) -> None:
    """Labels inside chunks of another kind or keyword are not unpacked."""
    chunks = [(b"prVt", content), text_chunk("Comment", content), (b"iCCP", content)]

    assert ProvenanceState.NONE_FOUND == state(with_chunks(PNG, *chunks), "png")


def test_a_format_is_walked_as_itself() -> None:
    """A label of one format means nothing in a file of another."""
    assert () == find_parts(jpeg_with(JPEG, xmp=LABEL), "png")
    assert () == find_parts(with_chunks(PNG, text_chunk("prompt", b"x")), "jpeg")


def test_fill_bytes_between_segments_are_passed_over() -> None:
    """Markers of a JPEG may have any number of FF bytes in front."""
    labelled = jpeg_with(JPEG, xmp=LABEL)

    assert [PartKind.XMP] == [
        part.kind for part in find_parts(labelled[:2] + b"\xff" * 9 + labelled[2:], "jpeg")
    ]


def test_chunks_of_a_webp_end_where_the_file_says() -> None:
    """Chunks behind the declared length of a WebP are a trailer."""
    own = webp((b"XMP ", LABEL + b" "), (b"EXIF", b"Exif\0\0" + EXIF))

    assert [PartKind.XMP, PartKind.EXIF] == [part.kind for part in find_parts(own, "webp")]
    assert () == find_parts(webp((b"VP8L", b"x"), trailer=own[12:]), "webp")


@pytest.mark.parametrize("in_idat", [False, True])
def test_items_of_an_heic_are_read_where_they_lie(in_idat: bool) -> None:
    """In the file or in the box for small items."""
    items = [
        (b"Exif\0", b"\0\0\0\6Exif\0\0" + EXIF),
        (b"mime\0application/rdf+xml\0", LABEL),
        (b"mime\0text/plain\0", LABEL),
    ]
    parts = find_parts(heic(items, in_idat=in_idat), "heic")

    assert [(PartKind.EXIF, EXIF), (PartKind.XMP, LABEL)] == [
        (part.kind, part.content) for part in parts
    ]


def test_xmp_in_a_box_of_its_own() -> None:
    """Some programs add XMP to the file as a box with an identifier."""
    identifier = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    data = heic([]) + box(b"uuid", identifier, LABEL)

    assert [PartKind.XMP] == [part.kind for part in find_parts(data, "heic")]


def test_a_huge_manifest_is_not_checked() -> None:
    """Checking one takes far more memory than it has bytes, so there is a limit."""
    content = b"JP\0\1\0\0\0\1\xff\xff\xff\xffjumb".ljust(65_533, b"\0")

    assert ProvenanceState.INVALID == state(with_segments(JPEG, *[(0xEB, content)] * 40), "jpeg")


def test_many_labels_are_cut_off() -> None:
    """A file with a thousand labels gives some of them."""
    data = with_chunks(PNG, *[text_chunk("prompt", str(n).encode()) for n in range(1000)])

    assert MAX_PARTS == len(find_parts(data, "png"))


def _huge_sizes() -> dict[str, tuple[str, bytes]]:
    most = b"\xff\xff\xff\xff"
    start = heic([])
    iloc = box(b"iloc", b"\2\0\0\0\x00\x00", most, b"\0\0\0\1\0\0\0\0\xff\xff" * 1_000_000)
    return {
        "jpeg segment": ("jpeg", JPEG[:2] + b"\xff\xe1\xff\xff"),
        "jpeg segment of nothing": ("jpeg", JPEG[:2] + b"\xff\xe1\0\0" * 10),
        "jpeg of fill bytes": ("jpeg", JPEG[:2] + b"\xff" * 4_000_000),
        "jpeg of segments": ("jpeg", JPEG[:2] + b"\xff\xe0\0\2" * 1_000_000),
        "png chunk": ("png", PNG[:33] + most + b"tEXtprompt\0x"),
        "png of chunks": ("png", PNG[:33] + png_chunk(b"prVt", b"") * 300_000),
        "webp chunk": ("webp", webp((b"VP8L", b"x"), (b"XMP ", b""))[:-4] + most),
        "webp of chunks": ("webp", webp(*[(b"prVt", b"")] * 500_000)),
        "box": ("heic", start + most + b"uuid"),
        "wide box": ("heic", start + b"\0\0\0\1uuid" + most * 2),
        "small wide box": ("heic", start + b"\0\0\0\1uuid" + b"\0" * 8),
        "box of nothing": ("heic", start + b"\0\0\0\4uuid" * 10),
        "boxes": ("heic", start + box(b"free") * 500_000),
        "items": ("heic", start + box(b"meta", b"\0\0\0\0", iloc)),
        "exif fields": ("jpeg", jpeg_with(JPEG, exif=b"II*\0\x08\0\0\0\xff\xff" + b"\xff" * 60000)),
    }


@pytest.mark.parametrize("name", list(_huge_sizes()))
def test_declared_sizes_are_not_believed(name: str) -> None:
    """Huge, empty and endless pieces end the walk soon, with little memory."""
    format_name, data = _huge_sizes()[name]
    tracemalloc.start()
    started = time.monotonic()
    found = read_provenance(data, format_name)
    seconds = time.monotonic() - started
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert () == found.signals
    assert seconds < LONGEST_SECONDS
    assert most_bytes < MOST_BYTES


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_packed_texts_are_unpacked_only_so_far(kind: bytes) -> None:
    """A few kilobytes that unpack to gigabytes cost neither time nor memory."""
    bomb = text_chunk("workflow", b"\0" * 50_000_000, kind=kind)
    data = with_chunks(PNG, *[bomb] * 50)
    tracemalloc.start()
    started = time.monotonic()
    found = read_provenance(data, "png")
    seconds = time.monotonic() - started
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert ["unknown"] == [signal.claim for signal in found.signals]
    assert seconds < LONGEST_SECONDS
    assert most_bytes < MOST_BYTES


def test_a_damaged_packed_text_says_nothing() -> None:
    """Only that text is passed over; the walk goes on behind it."""
    packed = bytearray(text_chunk("prompt", b"x" * 1000, kind=b"zTXt")[1])
    packed[9] ^= 0xFF
    chunks = [(b"zTXt", bytes(packed)), text_chunk("Dream", b"x")]

    found = read_provenance(with_chunks(PNG, *chunks), "png").signals
    assert ["InvokeAI"] == [signal.detail for signal in found]


def _samples() -> list[tuple[str, bytes]]:
    labels = {"xmp": LABEL, "exif": EXIF}
    signed = [
        ("jpeg", sign(saved_with("JPEG"), MADE)),
        ("png", sign(saved_with("PNG"), MADE, media_type="image/png")),
        ("webp", sign(saved_with("WEBP"), MADE, media_type="image/webp")),
        ("heic", sign(saved_with("HEIF"), MADE, media_type="image/heic")),
        ("mp4", sign(encode(steady(0.5)), MADE, media_type="video/mp4")),
    ]
    labelled = [
        (name, saved_with(image_format, **labels))
        for name, image_format in (
            ("jpeg", "JPEG"),
            ("webp", "WEBP"),
            ("avif", "AVIF"),
            ("heic", "HEIF"),
        )
    ]
    texts = [text_chunk(key, b"x" * 99, kind=b"zTXt") for key in ("prompt", "workflow")]
    return [*signed, *labelled, ("png", with_chunks(PNG, *texts))]


def test_mutated_files_never_raise() -> None:
    """Five hundred files with flipped, cut, doubled and overwritten stretches are all read."""
    chance = random.Random(20_261_006)
    samples = _samples()
    for number in range(500):
        format_name, data = samples[number % len(samples)]
        mutated = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(mutated))
            length = chance.randint(1, 64)
            match chance.randrange(5):
                case 0:
                    mutated[at] ^= 1 << chance.randrange(8)
                case 1:
                    mutated[at : at + 4] = chance.choice([b"\xff" * 4, b"\0" * 4, b"\0\0\0\1"])
                case 2:
                    del mutated[at : at + length]
                case 3:
                    mutated[at:at] = mutated[at : at + length]
                case 4:
                    del mutated[max(at, 40) :]
        read_provenance(bytes(mutated), format_name)


def test_every_truncation_is_read() -> None:
    """A signed file that ends early has broken origin information or none, at every length."""
    signed = sign(saved_with("JPEG"), MADE)
    states = {state(signed[:length], "jpeg") for length in range(0, len(signed), 37)}

    assert {ProvenanceState.INVALID, ProvenanceState.NONE_FOUND} == states


def test_packing_really_was_a_bomb() -> None:
    """The packed text of the test above is small."""
    assert len(zlib.compress(b"\0" * 50_000_000, 9)) < 100_000
