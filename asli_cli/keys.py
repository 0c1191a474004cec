"""`asli keys`: the API keys of a service, on its data folder or in its table."""

import argparse
import json
import sys

from lambda_api.bootstrap import build_key_store, utc_now
from lambda_api.errors import KeyNotFound
from lambda_api.keys import make_key
from lambda_api.ports import ApiKey, KeyScope, KeyStore
from lambda_api.settings import Settings

DONE, FAILED = 0, 1


def run_keys(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Do what `args` ask for; returns the exit status."""
    try:
        keys = build_key_store(Settings())
    except OSError as error:
        parser.exit(FAILED, f"asli: the keys cannot be reached: {error.strerror}\n")
    if args.action == "create":
        return _create(keys, args.name, args.scope or [KeyScope.ANALYSE])
    if args.action == "list":
        return _list(keys)
    return _revoke(keys, args.id)


def _create(keys: KeyStore, name: str, scopes: list[str]) -> int:
    key, text = make_key(name, (KeyScope(scope) for scope in scopes), now=utc_now())
    keys.add(key)
    print(text)
    print(f"This is key {key.id}. It is shown only now: keep it safe.", file=sys.stderr)
    return DONE


def _list(keys: KeyStore) -> int:
    for key in keys.all():
        print(json.dumps(_as_values(key)))
    return DONE


def _revoke(keys: KeyStore, key_id: str) -> int:
    try:
        keys.revoke(key_id, now=utc_now())
    except KeyNotFound:
        print(f"asli: there is no key {key_id}", file=sys.stderr)
        return FAILED
    print(f"Key {key_id} opens nothing any more.", file=sys.stderr)
    return DONE


def _as_values(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at and key.revoked_at.isoformat(),
    }
