"""Reads what signed C2PA manifests state about a file, offline, and checks their signatures."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import c2pa

from detector.claims import (
    STRONGEST_FIRST,
    Claim,
    Signal,
    SignatureState,
    Source,
    claim_of_source_type,
)

INVALID = Signal(Source.C2PA, Claim.UNKNOWN, SignatureState.INVALID, None)
"""A manifest that does not fit the file or cannot be read; nothing it states is repeated."""

MAX_NAME_LENGTH = 80
_MAX_MANIFESTS = 64

_VIDEO_TYPES = {"mp4": "video/mp4", "mov": "video/quicktime", "avi": "video/x-msvideo"}

_OFFLINE: dict[str, Any] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
}
_VALIDATION_OF_STATE = {"Trusted": SignatureState.TRUSTED, "Valid": SignatureState.VALID_UNTRUSTED}
_NOT_ON_LIST, _ON_LIST = "signingCredential.untrusted", "signingCredential.trusted"

_VOUCHING = re.compile(
    r"\b(real|authentic|genuine|fake|otentik|autentik|palsu|nyata|asli)\b|\b100\s*%", re.IGNORECASE
)
"""Words that never stand in an answer, not even as somebody's name."""


def read_signed_claims(data: bytes, format_name: str, *, trust_anchors: str) -> tuple[Signal, ...]:
    """The statement of the newest manifest, then a stronger one of those it builds on.

    `trust_anchors` are the certificates in PEM whose signers are trusted; empty means none.
    """
    with make_context(trust_anchors) as context:
        try:
            stream = io.BytesIO(data)
            media_type = _VIDEO_TYPES.get(format_name, f"image/{format_name}")
            with c2pa.Reader(media_type, stream, context=context) as reader:
                return tuple(_signals(_Report(json.loads(reader.json()))))
        except c2pa.C2paError.ManifestNotFound:
            return ()
        except (c2pa.C2paError, ValueError, RecursionError):
            return (INVALID,)


def make_context(trust_anchors: str) -> c2pa.Context:
    """How manifests are read. Raises ValueError when the anchors are not certificates in PEM."""
    settings = dict(_OFFLINE)
    if trust_anchors:
        settings["trust"] = {"trust_anchors": trust_anchors}
    try:
        return c2pa.Context.from_dict(settings)
    except c2pa.C2paError as error:
        raise ValueError("The trust anchors are not certificates in PEM.") from error


class _Report:
    """c2pa's account of a file. Its values come from the file, so each may be of any kind."""

    def __init__(self, values: object) -> None:
        self.validation = _VALIDATION_OF_STATE.get(
            str(_get(values, "validation_state")), SignatureState.INVALID
        )
        self.newest = str(_get(values, "active_manifest"))
        self._manifests = _get(values, "manifests")
        self._results = _get(values, "validation_results")

    def claim(self, label: str) -> Claim:
        """What a manifest says about how its own picture came to be."""
        claims = {
            _claim_of_action(action)
            for assertion in _list(_get(self._manifests, label, "assertions"))
            if str(_get(assertion, "label")).startswith("c2pa.actions")
            for action in _list(_get(assertion, "data", "actions"))
        }
        return next((claim for claim in STRONGEST_FIRST if claim in claims), Claim.UNKNOWN)

    def issuer(self, label: str) -> str | None:
        """Who signed, as the certificate names them."""
        return _name(_get(self._manifests, label, "signature_info", "issuer"))

    def ingredients(self, label: str) -> Iterator[tuple[str, bool]]:
        """Manifests of the pictures this one was made from, and whether it continues them.

        One that was damaged when it was used does not count.
        """
        for ingredient in _list(_get(self._manifests, label, "ingredients")):
            source = _get(ingredient, "active_manifest")
            if isinstance(source, str) and not _failures(ingredient):
                yield source, _get(ingredient, "relationship") == "parentOf"

    def is_trusted_ingredient(self, label: str) -> bool:
        """Whether the signer of a manifest further back is trusted, too."""
        return any(
            _get(entry, "code") == _ON_LIST and f"/{label}/" in str(_get(entry, "url"))
            for delta in _list(_get(self._results, "ingredientDeltas"))
            for entry in _list(_get(delta, "validationDeltas", "success"))
        )


def _signals(report: _Report) -> Iterator[Signal]:
    if report.validation is SignatureState.INVALID:
        yield INVALID
        return
    own = report.claim(report.newest)
    yield Signal(Source.C2PA, own, report.validation, report.issuer(report.newest))
    earlier = _strongest_earlier(report)
    if earlier is not None and earlier[1] is not own:
        label, claim = earlier
        is_trusted = report.validation is SignatureState.TRUSTED and report.is_trusted_ingredient(
            label
        )
        validation = SignatureState.TRUSTED if is_trusted else SignatureState.VALID_UNTRUSTED
        yield Signal(Source.C2PA, claim, validation, report.issuer(label))


def _strongest_earlier(report: _Report) -> tuple[str, Claim] | None:
    """The strongest statement among the manifests that the newest one builds on."""
    found: list[tuple[str, Claim]] = []
    waiting = list(report.ingredients(report.newest))
    seen = {report.newest}
    while waiting and len(seen) < _MAX_MANIFESTS:
        label, is_continued = waiting.pop(0)
        if label in seen:
            continue
        seen.add(label)
        claim = report.claim(label)
        if is_continued:
            found.append((label, claim))
        elif claim in {Claim.MADE_WITH_AI, Claim.EDITED_WITH_AI}:
            found.append((label, Claim.EDITED_WITH_AI))  # it is only a piece of this picture
        waiting += [
            (further, is_continued and continues)
            for further, continues in report.ingredients(label)
        ]
    found = [each for each in found if each[1] is not Claim.UNKNOWN]
    return min(found, key=lambda each: STRONGEST_FIRST.index(each[1]), default=None)


def _claim_of_action(action: object) -> Claim:
    """An AI model that came in after the first step edited the picture, and did not make it."""
    claim = claim_of_source_type(_get(action, "digitalSourceType"))
    if claim is Claim.MADE_WITH_AI and _get(action, "action") != "c2pa.created":
        return Claim.EDITED_WITH_AI
    return claim


def _failures(ingredient: object) -> bool:
    """Whether a check failed, other than that nobody vouched for the signer."""
    entries = [
        *_list(_get(ingredient, "validation_status")),
        *_list(_get(ingredient, "validation_results", "activeManifest", "failure")),
    ]
    return any(_get(entry, "code") != _NOT_ON_LIST for entry in entries)


def _name(value: object) -> str | None:
    """A short name fit to be shown, or None: no control characters, no path, no vouching."""
    if not isinstance(value, str) or _VOUCHING.search(value):
        return None
    text = "".join(character if character.isprintable() else " " for character in value[:1000])
    text = " ".join(re.split(r"[/\\]", text)[0].split())
    return text[:MAX_NAME_LENGTH].strip() or None


def _get(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
