"""Where a webhook may lead: out of this network, and nowhere else (SSRF).

The name is resolved once, every address it has is judged, and the connection goes to the address that was
judged: a name that answers differently the second time leads nowhere.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from api.models import MAX_URL_CHARS
from chatproject.errors import AppError, Code


class Blocked(Exception):
    """The address may not be called; the words are for the delivery log."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A judged address: ``url`` has the address in the place of the name, which goes into Host and TLS."""

    url: str
    host: str
    server_name: str


def check_url(url: str) -> None:
    """Whether ``url`` has the form of a webhook's address. Raises AppError INVALID."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in _schemes() and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or len(url) > MAX_URL_CHARS or "#" in url or "@" in url.partition("//")[2].partition("/")[0]:
        raise AppError(Code.INVALID, fields={"url": ["An https address without user name and #."]})
    if not url.isascii() or any(char.isspace() or not char.isprintable() for char in url):
        raise AppError(Code.INVALID, fields={"url": ["Write it in ASCII, without spaces."]})


def resolve(url: str) -> Destination:
    """The one address to connect to. Raises Blocked."""
    parts = urlsplit(url)
    if parts.scheme not in _schemes() or not parts.hostname:
        raise Blocked("Only https is called.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Blocked("The name is unknown.") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(map(_is_outside, addresses)):
        raise Blocked("The name leads into a private network.")
    return _destination(parts, addresses[0], port)


def _destination(
    parts: SplitResult, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> Destination:
    literal = f"[{address}]" if address.version == 6 else str(address)
    url = parts._replace(netloc=f"{literal}:{port}").geturl()
    return Destination(url, parts.netloc, str(parts.hostname))


def _is_outside(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Global, also in what IPv6 carries of IPv4, and no multicast; or in a network that is trusted."""
    if any(address in network for network in _trusted() if network.version == address.version):
        return True
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner and not _is_outside(inner):
            return False
        if address in ipaddress.ip_network("64:ff9b::/96"):
            return _is_outside(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast


def _trusted() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(name) for name in settings.WEBHOOK_TRUSTED_NETWORKS]


def _schemes() -> set[str]:
    return {"https", "http"} if settings.WEBHOOK_TRUSTED_NETWORKS else {"https"}
