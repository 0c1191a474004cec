"""Signed statements: whose they are, whether they hold, and that nobody is asked about them."""

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import c2pa
import pytest

from detector.claims import Claim, Signal, SignatureState, Source
from detector.provenance import Provenance, ProvenanceState, read_provenance
from tests.metadata import saved_with
from tests.signing import CAPTURED, CROPPED, DRAWN, EDITED, MADE, make_signer, sign

ACTION = {"made": MADE, "edited": EDITED, "captured": CAPTURED, "cropped": CROPPED, "drawn": DRAWN}


@pytest.fixture(scope="module")
def image() -> bytes:
    return saved_with("JPEG")


def statements(data: bytes, *, trust_anchors: str = "") -> list[tuple[str, str, str | None]]:
    found = read_provenance(data, "jpeg", trust_anchors=trust_anchors)
    assert all(each.source is Source.C2PA for each in found.signals)
    return [(each.claim, each.validation, each.detail) for each in found.signals]


@pytest.mark.parametrize(
    ("image_format", "media_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("AVIF", "image/avif"),
        ("HEIF", "image/heic"),
    ],
)
def test_trusted_untrusted_and_tampered_are_told_apart(image_format: str, media_type: str) -> None:
    """In every format: trusted with the root, else untrusted, and invalid after one changed bit."""
    name = media_type.removeprefix("image/")
    signed = sign(saved_with(image_format), MADE, media_type=media_type)
    tampered = bytearray(signed)
    tampered[-30] ^= 1
    found = [
        read_provenance(data, name, trust_anchors=anchors)
        for data, anchors in (
            (signed, make_signer().root),
            (signed, make_signer("Another Company").root),
            (signed, ""),
            (bytes(tampered), make_signer().root),
        )
    ]

    made = (Source.C2PA, Claim.MADE_WITH_AI)
    assert [
        Signal(*made, SignatureState.TRUSTED, "Imagined Images"),
        Signal(*made, SignatureState.VALID_UNTRUSTED, "Imagined Images"),
        Signal(*made, SignatureState.VALID_UNTRUSTED, "Imagined Images"),
        Signal(Source.C2PA, Claim.UNKNOWN, SignatureState.INVALID, None),
    ] == [each.signals[0] for each in found]
    assert ["trusted", "valid_untrusted", "valid_untrusted", "invalid"] == [
        each.state for each in found
    ]


def test_a_stripped_file_says_nothing(image: bytes) -> None:
    """Without the segments of its manifest, a signed file is like any other."""
    signed = sign(image, MADE)
    at, stripped = 2, signed[:2]
    while signed[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(signed[at + 2 : at + 4], "big")
        if signed[at + 1] != 0xEB:
            stripped += signed[at:end]
        at = end
    stripped += signed[at:]

    assert ProvenanceState.VALID_UNTRUSTED == read_provenance(signed, "jpeg").state
    assert Provenance(ProvenanceState.NONE_FOUND, ()) == read_provenance(stripped, "jpeg")


@pytest.mark.parametrize(
    ("actions", "claim"),
    [
        (("made",), "made_with_ai"),
        (("made", "edited"), "made_with_ai"),
        (("captured", "edited"), "edited_with_ai"),
        (("captured",), "captured"),
        (("captured", "cropped"), "captured"),
        (("drawn",), "unknown"),
    ],
)
def test_made_and_edited_are_told_apart(image: bytes, actions: tuple[str, ...], claim: str) -> None:
    """What happened to the picture at first counts, unless AI came in later."""
    signed = sign(image, *(ACTION[action] for action in actions))

    assert [(claim, "valid_untrusted", "Imagined Images")] == statements(signed)


def test_a_model_that_only_edited_did_not_make_the_picture(image: bytes) -> None:
    """A generative fill states trained media, too, but as a later step."""
    fill = {**MADE, "action": "c2pa.edited"}

    assert "edited_with_ai" == statements(sign(image, CAPTURED, fill))[0][0]


def test_earlier_statements_are_kept(image: bytes) -> None:
    """A generated picture that was cropped elsewhere was still generated."""
    made = sign(image, MADE)
    cropped = sign(made, CROPPED, parent=made, signer=make_signer("Another Company"))
    again = sign(cropped, CROPPED, parent=cropped, signer=make_signer("Another Company"))

    assert [
        ("unknown", "valid_untrusted", "Another Company"),
        ("made_with_ai", "valid_untrusted", "Imagined Images"),
    ] == statements(again)


@pytest.mark.parametrize(
    ("trusted", "validations"),
    [
        (("Another Company",), ["trusted", "valid_untrusted"]),
        (("Imagined Images",), ["valid_untrusted", "valid_untrusted"]),
        (("Imagined Images", "Another Company"), ["trusted", "trusted"]),
    ],
)
def test_trust_is_not_inherited(
    image: bytes, trusted: tuple[str, ...], validations: list[str]
) -> None:
    """An earlier statement is trusted only where its own signer and all later ones are."""
    made = sign(image, MADE)
    cropped = sign(made, CROPPED, parent=made, signer=make_signer("Another Company"))
    anchors = "".join(make_signer(company).root for company in trusted)

    assert validations == [each[1] for each in statements(cropped, trust_anchors=anchors)]


def test_a_damaged_earlier_statement_does_not_count(image: bytes) -> None:
    """A trusted program that took in a file with a broken label does not repair the label."""
    broken = bytearray(sign(image, MADE))
    broken[broken.index(b"trainedAlgorithmic")] ^= 1
    later = sign(image, CROPPED, parent=bytes(broken))
    assert b"trainedAlgorithmic" not in later

    assert [("unknown", "trusted", "Imagined Images")] == statements(
        later, trust_anchors=make_signer().root
    )


def test_an_ai_piece_makes_an_edited_picture(image: bytes) -> None:
    """A generated picture that was put into another did not become all of it."""
    collage = sign(image, CAPTURED, piece=sign(saved_with("JPEG"), MADE))

    assert ["captured", "edited_with_ai"] == [each[0] for each in statements(collage)]


def test_a_photographed_piece_says_nothing_of_the_whole(image: bytes) -> None:
    """A photograph that was put into a picture does not make that one a photograph."""
    collage = sign(image, DRAWN, piece=sign(saved_with("JPEG"), CAPTURED))

    assert ["unknown"] == [each[0] for each in statements(collage)]


@pytest.mark.parametrize(
    ("company", "shown"),
    [
        ("x" * 50, "x" * 50),
        ("Bilder & S\N{LATIN SMALL LETTER O WITH DIAERESIS}hne", "Bilder & S\xf6hne"),
        ("Pictures\u202egnp", "Pictures gnp"),
        ("/srv/pictures/me", None),
        ("Pictures /srv/me", "Pictures"),
        ("100% authentic pictures", None),
        ("Kamera Asli", None),
    ],
)
def test_names_are_made_fit_to_be_shown(image: bytes, company: str, shown: str | None) -> None:
    """No control characters, no paths, and no name that vouches for the picture."""
    assert shown == statements(sign(image, MADE, signer=make_signer(company)))[0][2]


def test_anything_appended_breaks_the_signature(image: bytes) -> None:
    """Thirteen bytes behind the end of a signed picture are a change like any other."""
    assert [("unknown", "invalid", None)] == statements(sign(image, MADE) + b"thirteen more")


class Listener:
    """An address on this machine that counts who calls."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self._is_closing = False
        self.calls = 0
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/manifest.c2pa"

    def _listen(self) -> None:
        while not self._is_closing:
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.calls += 1
            connection.close()

    def close(self) -> None:
        self._is_closing = True
        self._thread.join()
        self._socket.close()


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    try:
        yield listener
    finally:
        listener.close()


def test_no_manifest_is_fetched(image: bytes) -> None:
    """A file that points to a manifest elsewhere makes c2pa ask there, but not us."""
    with listening() as listener:
        pointing = sign(image, MADE, address=listener.address)
        with pytest.raises(c2pa.C2paError):
            c2pa.Reader("image/jpeg", io.BytesIO(pointing))
        called_by_default = listener.calls

        found = read_provenance(pointing, "jpeg")
        calls = listener.calls - called_by_default

    assert called_by_default > 0
    assert 0 == calls
    assert ProvenanceState.NONE_FOUND == found.state


def test_no_socket_is_opened(image: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a signed file works where no socket can be made."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    signed = sign(image, MADE)
    monkeypatch.setattr(socket, "socket", refuse)

    assert ProvenanceState.TRUSTED == (
        read_provenance(signed, "jpeg", trust_anchors=make_signer().root).state
    )
