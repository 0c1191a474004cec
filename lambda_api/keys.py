"""API keys: random secrets that are shown once and kept only as hashes.

A key reads `asli_<id>_<secret>`. The secret has 256 random bits, so a plain SHA-256 cannot be
searched, and a salt or a slow hash would add nothing.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime

from lambda_api.errors import KeyInvalid, KeyNotFound, KeyScopeMissing
from lambda_api.ports import ApiKey, KeyScope, KeyStore

_KEY = re.compile(r"asli_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)


def make_key(name: str, scopes: Iterable[KeyScope], *, now: datetime) -> tuple[ApiKey, str]:
    """A new key as it is kept, and the text that its owner sends."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = ApiKey(
        id=key_id,
        name=name,
        scopes=frozenset(scopes),
        secret_sha256=_hash(secret),
        created_at=now.replace(microsecond=0),
    )
    return key, f"asli_{key_id}_{secret}"


def key_of(authorization: str | None, keys: KeyStore, *, scope: KeyScope) -> ApiKey | None:
    """The key in an Authorization header; None when there is no header.

    Raises KeyInvalid for what is no key that opens anything, KeyScopeMissing for one that opens other things.
    """
    if authorization is None:
        return None
    bearer = _BEARER.fullmatch(authorization.strip())
    parts = _KEY.fullmatch(bearer[1]) if bearer else None
    if parts is None:
        raise _invalid()
    try:
        key = keys.get(parts[1])
    except KeyNotFound:
        raise _invalid() from None
    if not hmac.compare_digest(key.secret_sha256, _hash(parts[2])) or key.revoked_at is not None:
        raise _invalid()
    if scope not in key.scopes:
        raise KeyScopeMissing(f"This key lacks the scope '{scope}'.")
    return key


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _invalid() -> KeyInvalid:
    return KeyInvalid("Send a valid key as 'Authorization: Bearer asli_…', or none at all.")
