"""The one address a client is limited by.

``X-Forwarded-For`` is written by whoever sends it, so it counts only as far as each hop, read from the
right, is a proxy named in ``TRUSTED_PROXIES`` (RFC 7239, 8.1). An IPv6 client owns a /64 at least, so the
/64 is its address. The word ``unix`` in ``TRUSTED_PROXIES`` trusts a proxy that comes over a unix socket.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"
UNIX = "unix"
# A longer chain than this is nobody's real one; it bounds the work of a forged header.
MAX_HOPS = 16

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(peer: str | None, forwarded_for: str | None) -> str:
    """The client's address, normalised: IPv4 as it is, IPv6 as its /64, ``unknown`` where there is none."""
    client = _parse(peer) if peer else None
    trusted = _is_trusted(client) if client else not peer and UNIX in settings.TRUSTED_PROXIES
    if trusted and forwarded_for:
        for entry in reversed(forwarded_for.split(",")[-MAX_HOPS:]):
            hop = _parse(entry)
            if hop is None:
                break
            client = hop
            if not _is_trusted(hop):
                break
    return _normalised(client) if client else UNKNOWN


def request_address(request: HttpRequest) -> str:
    """``client_address`` of an HTTP request."""
    return client_address(request.META.get("REMOTE_ADDR"), request.META.get("HTTP_X_FORWARDED_FOR"))


def scope_address(scope: Mapping[str, Any]) -> str:
    """``client_address`` of an ASGI scope (HTTP or WebSocket)."""
    client = scope.get("client")
    return client_address(client[0] if client else None, _forwarded_for(scope.get("headers") or ()))


def _forwarded_for(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    values = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    return ",".join(values) or None


def _parse(text: str) -> Address | None:
    """An address out of ``1.2.3.4``, ``1.2.3.4:567``, ``::1``, ``[::1]:567`` or ``fe80::1%eth0``."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in _networks(tuple(settings.TRUSTED_PROXIES)))


@lru_cache(maxsize=8)
def _networks(words: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(word, strict=False) for word in words if word != UNIX)


def _normalised(address: Address) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
