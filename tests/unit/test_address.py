"""One address a client, whatever the proxies and the client itself write."""

import pytest

from chatproject.address import UNKNOWN, client_address, scope_address


@pytest.fixture
def proxies(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "fd00::/8", "unix"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        # Nobody may choose an address who is not a proxy.
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        # What stands left of the first stranger was written by that stranger.
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8:1:2:3::4]:99", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", None, "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", None, "203.0.113.7"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fe80::1%eth0", None, "fe80::/64"),
        (None, "198.51.100.1", "198.51.100.1"),
        (None, None, UNKNOWN),
        ("", None, UNKNOWN),
        ("testclient", None, UNKNOWN),
    ],
)
def test_client_address(proxies, peer, forwarded, expected):
    assert client_address(peer, forwarded) == expected


def test_a_unix_socket_is_not_believed_unless_named(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert client_address(None, "198.51.100.1") == UNKNOWN


def test_a_forged_chain_is_read_only_so_far(proxies):
    chain = ", ".join(["198.51.100.1"] + ["10.0.0.2"] * 1000)
    assert client_address("10.0.0.1", chain) == "10.0.0.2"


def test_scope_joins_repeated_headers(proxies):
    headers = [(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"198.51.100.1, 10.0.0.3")]
    assert scope_address({"client": ("10.0.0.1", 1234), "headers": headers}) == "198.51.100.1"
    assert scope_address({"client": None, "headers": []}) == UNKNOWN
