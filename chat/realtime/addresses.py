"""How many connections an address has in this process, and how many of them nobody has put a name to."""

from collections import Counter

from django.conf import settings

from chatproject import environment
from chatproject.errors import AppError, Code

# Many people may share an address, in an office or behind a mobile network; a name costs more than a socket.
MAX_PER_ADDRESS = environment.integer("MAX_SOCKETS_PER_ADDRESS", default=1000)
MAX_NAMELESS_PER_ADDRESS = environment.integer("MAX_NAMELESS_SOCKETS_PER_ADDRESS", default=200)
RETRY_SECONDS = 30.0


class Addresses:
    """Sockets and streams by address. Nameless are visitors, and those who have not said who they are yet."""

    def __init__(self) -> None:
        self._all: Counter[str] = Counter()
        self._nameless: Counter[str] = Counter()

    def take(self, address: str) -> "Seat":
        """A place for one more connection, which has no name yet. Raises AppError RATE_LIMITED."""
        if self._is_full(address) and not settings.NO_LIMITS:
            words = "Too many connections from this address."
            raise AppError(Code.RATE_LIMITED, words, retry_after=RETRY_SECONDS)
        self._all[address] += 1
        self._nameless[address] += 1
        return Seat(self, address)

    def _is_full(self, address: str) -> bool:
        all_, nameless = self._all[address], self._nameless[address]
        return all_ >= MAX_PER_ADDRESS or nameless >= MAX_NAMELESS_PER_ADDRESS

    def name(self, address: str) -> None:
        """One of the nameless has said who they are."""
        _take_one(self._nameless, address)

    def leave(self, address: str) -> None:
        """A connection has gone."""
        _take_one(self._all, address)


class Seat:
    """The place of one connection; left once, however often that is said."""

    __slots__ = ("_address", "_addresses", "_is_named", "_is_taken")

    def __init__(self, addresses: Addresses, address: str) -> None:
        self._addresses = addresses
        self._address = address
        self._is_named = False
        self._is_taken = True

    def name(self) -> None:
        """Whoever sits here has said who they are."""
        if self._is_taken and not self._is_named:
            self._is_named = True
            self._addresses.name(self._address)

    def leave(self) -> None:
        """The connection has gone."""
        self.name()
        if self._is_taken:
            self._is_taken = False
            self._addresses.leave(self._address)


def _take_one(counter: Counter[str], address: str) -> None:
    """Nothing is kept of an address that has none left."""
    counter[address] -= 1
    if not counter[address]:
        del counter[address]
