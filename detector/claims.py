"""What a file can say about its own origin, and how far that can be checked."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where in the file a statement stands."""

    C2PA = "c2pa"
    XMP_IPTC = "xmp_iptc"
    PNG_TEXT = "png_text"
    EXIF = "exif"


class Claim(StrEnum):
    """What is stated."""

    MADE_WITH_AI = "made_with_ai"
    EDITED_WITH_AI = "edited_with_ai"
    CAPTURED = "captured"
    UNKNOWN = "unknown"


class SignatureState(StrEnum):
    """Whether the statement is signed, and what became of the signature."""

    TRUSTED = "trusted"
    """It fits the file, and its signer is one of those we were told to trust."""
    VALID_UNTRUSTED = "valid_untrusted"
    """It fits the file; anyone could have made it."""
    INVALID = "invalid"
    UNSIGNED = "unsigned"


@dataclass(frozen=True)
class Signal:
    """One statement. `detail` names its signer or the generator, and holds nothing else."""

    source: Source
    claim: Claim
    validation: SignatureState
    detail: str | None


STRONGEST_FIRST = (Claim.MADE_WITH_AI, Claim.EDITED_WITH_AI, Claim.CAPTURED, Claim.UNKNOWN)

_CLAIM_OF_SOURCE_TYPE = {
    "trainedAlgorithmicMedia": Claim.MADE_WITH_AI,
    "compositeWithTrainedAlgorithmicMedia": Claim.EDITED_WITH_AI,
    "digitalCapture": Claim.CAPTURED,
    "computationalCapture": Claim.CAPTURED,  # what phones write of several frames merged
}


def claim_of_source_type(value: object) -> Claim:
    """The claim in an IPTC digital source type: a full address, a short one or the bare term."""
    if not isinstance(value, str):
        return Claim.UNKNOWN
    term = value.strip().rpartition("/")[2].rpartition(":")[2]
    return _CLAIM_OF_SOURCE_TYPE.get(term, Claim.UNKNOWN)
