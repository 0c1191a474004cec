"""What a file says about its own origin: signed C2PA manifests, and labels that anyone can add.

None of it changes the score or the verdict. Nothing is fetched: only what is in the file is read.
"""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from detector.claims import Claim, Signal, SignatureState
from detector.containers import find_parts
from detector.errors import ModelLoadError
from detector.parts import PartKind
from detector.signed_claims import INVALID, make_context, read_signed_claims
from detector.unsigned_labels import read_labels
from detector.verdict import Verdict

MAX_STORE_BYTES = 2 << 20
"""Of C2PA manifests. Larger ones are not checked: it can take 200 times as much memory."""

_AI_CLAIMS = {Claim.MADE_WITH_AI, Claim.EDITED_WITH_AI}


class ProvenanceState(StrEnum):
    """What is known in one word: the fate of the newest signature, or that there is none."""

    TRUSTED = "trusted"
    VALID_UNTRUSTED = "valid_untrusted"
    INVALID = "invalid"
    UNSIGNED = "unsigned"
    NONE_FOUND = "none_found"


@dataclass(frozen=True)
class Provenance:
    """What a file says about its own origin, signed statements first."""

    state: ProvenanceState
    signals: tuple[Signal, ...]
    disagrees: bool = False
    """Whether a statement and the detector's answer contradict each other."""

    def beside(self, verdict: Verdict) -> "Provenance":
        """The same, compared with the detector's answer; only a clear one can be contradicted."""
        claims = {signal.claim for signal in self.signals}
        if verdict is Verdict.NO_AI_SIGNS_FOUND:
            disagrees = Claim.MADE_WITH_AI in claims
        elif verdict is Verdict.LIKELY_AI and not claims & _AI_CLAIMS:
            disagrees = any(
                signal.claim is Claim.CAPTURED and signal.validation is SignatureState.TRUSTED
                for signal in self.signals
            )
        else:
            disagrees = False
        return dataclasses.replace(self, disagrees=disagrees)


def load_trust_anchors(path: Path) -> str:
    """Certificates in PEM. Raises ModelLoadError when the file holds anything else."""
    try:
        trust_anchors = path.read_text("ascii")
        make_context(trust_anchors or "empty").close()
    except (OSError, ValueError) as error:
        raise ModelLoadError(f"The file {path.name} holds no certificates in PEM.") from error
    return trust_anchors


def read_provenance(data: bytes, format_name: str, *, trust_anchors: str = "") -> Provenance:
    """Read a file in a format that `sniff_format` or `sniff_video` names. Damaged metadata never raises.

    `trust_anchors` are certificates in PEM, one after the other; a signature is trusted when its
    chain leads to one of them. By default none is: then every good signature is `valid_untrusted`.
    """
    parts = find_parts(data, format_name)
    store_bytes = sum(len(part.content) for part in parts if part.kind is PartKind.C2PA)
    signed: tuple[Signal, ...] = ()
    if store_bytes > MAX_STORE_BYTES:
        signed = (INVALID,)
    elif store_bytes:
        signed = read_signed_claims(data, format_name, trust_anchors=trust_anchors)
    signals = (*signed, *read_labels(parts))
    state = ProvenanceState(signals[0].validation) if signals else ProvenanceState.NONE_FOUND
    return Provenance(state, signals)
