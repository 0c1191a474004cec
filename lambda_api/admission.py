"""Who sends a request, and whether this caller may send it now."""

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambda_api.keys import key_of
from lambda_api.ports import CallCounter, KeyScope, KeyStore
from lambda_api.rates import Quota, Standing, spend
from lambda_api.services import Clock


@dataclass(frozen=True, kw_only=True)
class Rates:
    """The published limits on requests that start something."""

    anonymous_per_minute: int = 60
    anonymous_per_day: int = 1000
    keyed_per_minute: int = 600
    messages_per_hour: int = 20

    def quotas(self, scope: KeyScope, *, has_key: bool) -> tuple[Quota, ...]:
        """Those that a request counts against."""
        if scope is KeyScope.MESSAGE:
            return (Quota("messages", self.messages_per_hour, 3600),)
        if has_key:
            return (Quota("key-minute", self.keyed_per_minute, 60),)
        return (
            Quota("minute", self.anonymous_per_minute, 60),
            Quota("day", self.anonymous_per_day, 86_400),
        )


class Admission:
    """Knows the keys, counts the calls."""

    def __init__(
        self, keys: KeyStore, counter: CallCounter, *, rates: Rates, clock: Clock, proxies: int = 0
    ) -> None:
        """`proxies` is how many proxies of our own stand in front and add to X-Forwarded-For."""
        self.rates = rates
        self._keys = keys
        self._counter = counter
        self._clock = clock
        self._proxies = proxies

    def admit(
        self, scope: Mapping[str, Any], headers: Mapping[str, str], wanted: KeyScope
    ) -> list[Standing]:
        """Count a request, described by its ASGI scope and headers.

        Raises KeyInvalid, KeyScopeMissing or RateLimited.
        """
        key = key_of(headers.get("authorization"), self._keys, scope=wanted)
        caller = f"key {key.id}" if key else _caller(client_address(scope, headers, self._proxies))
        quotas = self.rates.quotas(wanted, has_key=key is not None)
        return spend(self._counter, caller, quotas, now=self._clock())


def client_address(scope: Mapping[str, Any], headers: Mapping[str, str], proxies: int) -> str:
    """The address that the request came from, as far as it can be relied upon.

    Behind a gateway it is the one that the gateway saw. X-Forwarded-For can be written by anyone, so
    only the entries that our own proxies added, from the right, are believed.
    """
    event = scope.get("aws.event")
    if event is not None:
        return str(event["requestContext"]["http"]["sourceIp"])
    if proxies:
        hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",")]
        if len(hops) >= proxies and hops[-proxies]:
            return hops[-proxies]
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _caller(address: str) -> str:
    """A fingerprint of the address; of an IPv6 one only the network, which is what one visitor has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        network = address
    else:
        bits = 64 if parsed.version == 6 else 32
        network = str(ipaddress.ip_network((parsed, bits), strict=False))
    return hashlib.sha256(network.encode()).hexdigest()[:24]
