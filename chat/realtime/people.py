"""The sockets of this process by person, and the end of those whose credential has ended."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from uuid import uuid4

from django.conf import settings

from accounts import credentials
from chat.actions.pulses import beat, stop_beating
from chat.realtime.protocol import Close
from chat.realtime.room import Socket
from chatproject.errors import AppError, Code
from chatproject.pool import DatabasePool

logger = logging.getLogger(__name__)

RECHECK_SECONDS = 10.0
RETRY_SECONDS = 0.5
BEAT_SECONDS = 5.0
MAX_SOCKETS_PER_PERSON = 32


class People:
    """Who is connected here, with what. Credentials are asked for again at each bell and on a timer."""

    def __init__(self, pool: DatabasePool) -> None:
        self._pool = pool
        self._process = uuid4()
        self._sockets: set[Socket] = set()
        self._by_user: defaultdict[int, set[Socket]] = defaultdict(set)

    def add(self, socket: Socket) -> bool:
        """Counts a socket that has said hello; False when the person has too many already."""
        if socket.user_id is not None:
            mine = self._by_user[socket.user_id]
            if len(mine) >= MAX_SOCKETS_PER_PERSON and not settings.NO_LIMITS:
                return False
            mine.add(socket)
        self._sockets.add(socket)
        return True

    def remove(self, socket: Socket) -> None:
        """Forgets a socket that has gone."""
        self._sockets.discard(socket)
        if socket.user_id is not None:
            self._by_user[socket.user_id].discard(socket)
            if not self._by_user[socket.user_id]:
                del self._by_user[socket.user_id]

    def sockets(self) -> list[Socket]:
        """All sockets that have said hello."""
        return list(self._sockets)

    def tell(self, user_ids: Iterable[int], frame: bytes) -> None:
        """Writes ``frame`` to every socket of these people."""
        for user_id in user_ids:
            for socket in list(self._by_user.get(user_id, ())):
                socket.write(frame)

    def count(self) -> tuple[int, int]:
        """How many people, and how many sockets with those of visitors without a name."""
        return len(self._by_user), len(self._sockets)

    async def recheck(self, user_id: int) -> None:
        """Ends the sockets of one person whose credential holds no longer; tries until it is known."""
        while user_id in self._by_user:
            try:
                return await self._end_those_ended(self._by_user[user_id])
            except AppError:
                await asyncio.sleep(RETRY_SECONDS)
        return None

    async def recheck_for_ever(self) -> None:
        """What the bell lost is found here: one statement a process, without Redis."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            try:
                await self._end_those_ended(self._sockets)
            except AppError as error:
                logger.warning("No recheck of credentials: %s", error.code)
            except Exception:
                logger.exception("The recheck of credentials failed")

    async def beat_for_ever(self) -> None:
        """Tells the desk how many are connected here."""
        while True:
            people, sockets = self.count()
            try:
                await self._pool.run(beat, self._process, people=people, sockets=sockets)
            except AppError as error:
                logger.warning("No pulse: %s", error.code)
            except Exception:
                logger.exception("The pulse failed")
            await asyncio.sleep(BEAT_SECONDS)

    async def stop_beating(self) -> None:
        """The process ends: nobody is connected to it any longer."""
        try:
            await self._pool.run(stop_beating, self._process)
        except AppError as error:
            logger.warning("The pulse stays until it is stale: %s", error.code)

    async def _end_those_ended(self, sockets: Iterable[Socket]) -> None:
        asked = {socket: socket.credential for socket in sockets if socket.credential is not None}
        ended = await self._pool.run(credentials.ended, set(asked.values()))
        for socket, credential in asked.items():
            if credential not in ended:
                continue
            if ended[credential].code is Code.BANNED:
                socket.end(Close.BANNED, ended[credential].message)
            elif credential.kind == credentials.CLIENT:
                # Tokens of applications that act alone are short and have no successor of their own.
                socket.end(Close.NEW_TICKET, "The token has ended. A new one buys a new ticket.", 0.0)
            else:
                socket.end(Close.SESSION_ENDED, "Signed out.")
