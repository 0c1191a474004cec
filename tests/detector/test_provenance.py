"""What a file says about its own origin, in every container, and what only looks like it."""

import dataclasses
import json
from pathlib import Path

import pytest

from detector.analysis import Detector
from detector.claims import Claim, Signal, SignatureState, Source
from detector.cli import main
from detector.errors import ModelLoadError
from detector.provenance import (
    Provenance,
    ProvenanceState,
    load_trust_anchors,
    read_provenance,
)
from detector.verdict import Verdict
from tests.images import plain_image
from tests.metadata import SETTINGS, SOURCE_TYPES, jpeg_with, saved_with, text_chunk, with_chunks
from tests.metadata import exif as make_exif
from tests.metadata import xmp as make_xmp
from tests.signing import CAPTURED, EDITED, MADE, make_signer, sign

MADE_TYPE = f"{SOURCE_TYPES}trainedAlgorithmicMedia"


def signal(
    source: Source,
    claim: Claim,
    detail: str | None = None,
    validation: SignatureState = SignatureState.UNSIGNED,
) -> Signal:
    return Signal(source, claim, validation, detail)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_most_files_say_nothing(image_format: str) -> None:
    """A file without labels has none, in every format."""
    name = image_format.lower().replace("heif", "heic")

    nothing = Provenance(ProvenanceState.NONE_FOUND, ())
    assert nothing == read_provenance(saved_with(image_format), name)


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP", "AVIF", "HEIF"])
def test_labels_written_by_other_programs_are_read(image_format: str) -> None:
    """XMP and EXIF are found where other programs put them."""
    name = image_format.lower().replace("heif", "heic")
    data = saved_with(image_format, xmp=make_xmp(MADE_TYPE), exif=make_exif(software="Fooocus 2"))

    found = read_provenance(data, name)
    assert ProvenanceState.UNSIGNED == found.state
    assert {
        signal(Source.XMP_IPTC, Claim.MADE_WITH_AI),
        signal(Source.EXIF, Claim.MADE_WITH_AI, "Fooocus"),
    } == set(found.signals)


def test_signed_statements_come_first() -> None:
    """The state is that of the signature, and labels beside it are listed after it."""
    labelled = jpeg_with(saved_with("JPEG"), xmp=make_xmp(MADE_TYPE))
    found = read_provenance(
        sign(labelled, EDITED, parent=labelled), "jpeg", trust_anchors=make_signer().root
    )

    assert ProvenanceState.TRUSTED == found.state
    assert [
        signal(Source.C2PA, Claim.EDITED_WITH_AI, "Imagined Images", SignatureState.TRUSTED),
        signal(Source.XMP_IPTC, Claim.MADE_WITH_AI),
    ] == list(found.signals)


UNSIGNED_MADE = signal(Source.EXIF, Claim.MADE_WITH_AI, "Midjourney")
UNSIGNED_EDITED = signal(Source.XMP_IPTC, Claim.EDITED_WITH_AI)
UNSIGNED_CAPTURED = signal(Source.XMP_IPTC, Claim.CAPTURED)
TRUSTED_CAPTURED = signal(Source.C2PA, Claim.CAPTURED, "Camera", SignatureState.TRUSTED)
INVALID = signal(Source.C2PA, Claim.UNKNOWN, None, SignatureState.INVALID)


@pytest.mark.parametrize(
    ("signals", "verdict", "disagrees"),
    [
        ((UNSIGNED_MADE,), Verdict.NO_AI_SIGNS_FOUND, True),
        ((UNSIGNED_MADE,), Verdict.LIKELY_AI, False),
        ((UNSIGNED_MADE,), Verdict.INCONCLUSIVE, False),
        ((UNSIGNED_MADE,), Verdict.NOT_APPLICABLE, False),
        ((UNSIGNED_EDITED,), Verdict.NO_AI_SIGNS_FOUND, False),
        ((TRUSTED_CAPTURED,), Verdict.LIKELY_AI, True),
        ((TRUSTED_CAPTURED,), Verdict.NO_AI_SIGNS_FOUND, False),
        ((TRUSTED_CAPTURED, UNSIGNED_EDITED), Verdict.LIKELY_AI, False),
        ((UNSIGNED_CAPTURED,), Verdict.LIKELY_AI, False),
        ((INVALID,), Verdict.NO_AI_SIGNS_FOUND, False),
        ((), Verdict.LIKELY_AI, False),
    ],
)
def test_only_clear_statements_contradict(
    signals: tuple[Signal, ...], verdict: Verdict, disagrees: bool
) -> None:
    """Made with AI against no signs, or a trusted camera against likely AI, and nothing else."""
    found = Provenance(ProvenanceState.NONE_FOUND, signals)

    assert disagrees == found.beside(verdict).disagrees


@pytest.mark.parametrize(("grey", "disagrees"), [(0, True), (118, False), (255, False)])
def test_provenance_never_changes_the_answer(
    tiny_detector: Detector, grey: int, disagrees: bool
) -> None:
    """With and without a label, score, band, verdict and reasons are the same."""
    image = plain_image("PNG", (300, 300), grey)
    labelled = with_chunks(image, text_chunk("parameters", SETTINGS.encode()))
    plain, other = (tiny_detector.analyze_image(data) for data in (image, labelled))

    assert plain.pixel == other.pixel
    assert (plain.verdict, plain.reasons) == (other.verdict, other.reasons)
    assert (ProvenanceState.NONE_FOUND, False) == (
        plain.provenance.state,
        plain.provenance.disagrees,
    )
    assert (ProvenanceState.UNSIGNED, disagrees) == (
        other.provenance.state,
        other.provenance.disagrees,
    )


def test_a_trusted_camera_can_disagree_with_the_detector(tiny_detector: Detector) -> None:
    """The detector checks signatures against the certificates it was given."""
    trusting = dataclasses.replace(tiny_detector, trust_anchors=make_signer().root)
    image = sign(plain_image("JPEG", (300, 300), 255), CAPTURED)

    assert not tiny_detector.analyze_image(image).provenance.disagrees
    answer = trusting.analyze_image(image)
    assert answer.provenance.disagrees
    assert Verdict.LIKELY_AI == answer.verdict


def test_what_is_sent_is_plain(tiny_detector: Detector) -> None:
    """As JSON, the statements are strings under the names of the contract."""
    image = sign(plain_image("JPEG", (300, 300), 0), MADE)

    assert {
        "state": "valid_untrusted",
        "signals": [
            {
                "source": "c2pa",
                "claim": "made_with_ai",
                "validation": "valid_untrusted",
                "detail": "Imagined Images",
            }
        ],
        "disagrees": True,
    } == tiny_detector.analyze_image(image).to_dict()["provenance"]


def test_a_detector_loads_its_certificates(
    tiny_model: Path, tiny_report: Path, tmp_path: Path
) -> None:
    """Several certificates may stand in one file."""
    path = tmp_path / "trusted.pem"
    path.write_text(make_signer("Another Company").root + make_signer().root, "ascii")
    detector = Detector.load(tiny_model, tiny_report, threads=1, trust_anchors_path=path)
    answer = detector.analyze_image(sign(plain_image("JPEG"), MADE))

    assert ProvenanceState.TRUSTED == answer.provenance.state


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\xfe"])
def test_a_file_without_certificates_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """Trusting nobody by mistake would go unnoticed, so it is an error that names the file."""
    path = tmp_path / "trusted.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ModelLoadError, match=r"trusted\.pem"):
        load_trust_anchors(path)


def test_the_command_line_prints_it(
    tiny_model: Path, tiny_report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON, checked against the certificates that were named; the table stays as it is."""
    image, trusted = tmp_path / "signed.jpg", tmp_path / "trusted.pem"
    image.write_bytes(sign(plain_image("JPEG", (300, 300), 255), MADE))
    trusted.write_text(make_signer().root, "ascii")
    options = ["--model", str(tiny_model), "--report", str(tiny_report)]
    command = [*options, "--trust-anchors", str(trusted), "detect"]

    assert 0 == main([*command, "--json", str(image)])
    assert "trusted" == json.loads(capsys.readouterr().out)["provenance"]["state"]
    assert 0 == main([*command, str(image)])
    assert "Imagined Images" not in capsys.readouterr().out
