"""Signs images as an imagined company does, with certificates made on the spot."""

import datetime as dt
import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MADE = {"action": "c2pa.created", "digitalSourceType": f"{SOURCE_TYPES}trainedAlgorithmicMedia"}
CAPTURED = {"action": "c2pa.created", "digitalSourceType": f"{SOURCE_TYPES}digitalCapture"}
EDITED = {
    "action": "c2pa.edited",
    "digitalSourceType": f"{SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia",
}
DRAWN = {"action": "c2pa.created", "digitalSourceType": f"{SOURCE_TYPES}digitalCreation"}
CROPPED = {"action": "c2pa.cropped"}

_BUILDING: dict[str, Any] = {
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"verify_after_sign": False, "remote_manifest_fetch": False},
}


@dataclass(frozen=True)
class Signer:
    """A company that signs, and the root certificate (PEM) that vouches for it."""

    chain: str
    key: str
    root: str


def make_signer(company: str = "Imagined Images") -> Signer:
    """The same company has the same certificates throughout a run."""
    return _make_signer(company)


@functools.cache
def _make_signer(company: str) -> Signer:
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = _name(f"Root of {company}")
    root = _certificate(root_name, root_key, root_name, root_key, is_root=True)
    leaf = _certificate(_name(company), key, root_name, root_key, is_root=False)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Signer(leaf + root, secret.decode(), root)


def sign(
    image: bytes,
    *actions: dict[str, str],
    media_type: str = "image/jpeg",
    signer: Signer | None = None,
    parent: bytes | None = None,
    piece: bytes | None = None,
    address: str | None = None,
) -> bytes:
    """`image` with a manifest that states `actions`; with an `address`, it only points to one."""
    signer = signer or make_signer()
    definition = {
        "claim_generator_info": [{"name": "imagined", "version": "1"}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": list(actions)}}],
    }
    info = c2pa.C2paSignerInfo("es256", signer.chain.encode(), signer.key.encode(), None)
    signed = io.BytesIO()
    with (
        c2pa.Context.from_dict(_BUILDING) as context,
        c2pa.Signer.from_info(info) as signing,
        c2pa.Builder(definition, context=context) as builder,
    ):
        ingredients: Sequence[tuple[str, bytes | None]] = (
            ("parentOf", parent),
            ("componentOf", piece),
        )
        for relationship, ingredient in ingredients:
            if ingredient is not None:
                builder.add_ingredient(
                    {"title": "before", "relationship": relationship},
                    media_type,
                    io.BytesIO(ingredient),
                )
        if parent is not None:  # adds the action that opened it
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        if address is not None:
            builder.set_no_embed()
            builder.set_remote_url(address)
        builder.sign(signing, media_type, io.BytesIO(image), signed)
    return signed.getvalue()


def _name(company: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, company),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, company),
        ]
    )


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_root: bool,
) -> str:
    now = dt.datetime.now(dt.UTC)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = (
        x509.CertificateBuilder(
            issuer_name=issuer,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - dt.timedelta(days=1),
            not_valid_after=now + dt.timedelta(days=30),
        )
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usage
            ),
            critical=True,
        )
        .add_extension(key_id, critical=False)
        .add_extension(issuer_id, critical=False)
    )
    if not is_root:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    signed = builder.sign(issuer_key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()
