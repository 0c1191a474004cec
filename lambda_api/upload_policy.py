"""The form that allows one upload, signed like those of a cloud's file store.

A policy is base64 of JSON: `{"expiration": …, "conditions": [["eq", "$key", …], …]}`. Its signature covers every
condition, so that nothing about them has to be stored.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lambda_api.errors import UploadRefused

CONTENT_TYPE = "Content-Type"


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What one form allows."""

    key: str
    content_type: str
    max_bytes: int
    expires_at: datetime


def sign_form(allowed: Allowed, secret: bytes) -> dict[str, str]:
    """The fields that go before the file."""
    conditions = [
        ["eq", "$key", allowed.key],
        ["eq", f"${CONTENT_TYPE}", allowed.content_type],
        ["content-length-range", 1, allowed.max_bytes],
    ]
    policy = {"expiration": allowed.expires_at.isoformat(), "conditions": conditions}
    encoded = base64.b64encode(json.dumps(policy).encode()).decode()
    return {
        "key": allowed.key,
        CONTENT_TYPE: allowed.content_type,
        "policy": encoded,
        "signature": _signature(encoded, secret),
    }


def check_form(fields: Mapping[str, str], secret: bytes, *, now: datetime) -> Allowed:
    """What the form allows. Raises UploadRefused unless it is one of ours, unchanged and in time."""
    encoded = fields.get("policy", "")
    signature = fields.get("signature", "")
    if not hmac.compare_digest(_signature(encoded, secret).encode(), signature.encode()):
        raise UploadRefused("The form is not signed by this service, or was changed.")
    policy = json.loads(base64.b64decode(encoded))
    (_, _, key), (_, _, content_type), (_, _, max_bytes) = policy["conditions"]
    allowed = Allowed(
        key=key,
        content_type=content_type,
        max_bytes=max_bytes,
        expires_at=datetime.fromisoformat(policy["expiration"]),
    )
    if now >= allowed.expires_at:
        raise UploadRefused("The time for this upload is over: ask for a new form.")
    for name, expected in (("key", key), (CONTENT_TYPE, content_type)):
        if fields.get(name) != expected:
            raise UploadRefused(f"The field {name!r} must be {expected!r}.")
    if unknown := set(fields) - {"key", CONTENT_TYPE, "policy", "signature"}:
        raise UploadRefused(f"The form has no field {min(unknown)!r}.")
    return allowed


def _signature(policy: str, secret: bytes) -> str:
    return hmac.new(secret, policy.encode(), hashlib.sha256).hexdigest()
