"""A client that keeps the rules of the protocol: resumes where it was, loads again when told to, sends until
it has an answer, one message at a time."""

import asyncio
import contextlib
import json
import random
import time
from collections import deque
from typing import Any
from uuid import UUID, uuid4

import httpx
import websockets

from tests.faults.harness.ledger import Ledger, Screen, Send

FIRST_BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 30.0
# The server sends heads every 15 s; a client that hears nothing for longer looks for another line.
SILENCE_SECONDS = 20.0
ANSWER_SECONDS = 40.0
RECONNECT_LIMIT = 4500


class Refused(Exception):
    """A reply that is an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.error = error


class Lost(Exception):
    """The connection is of no use any more."""


class Member:
    """One person's client in one room. ``doors`` are socket URLs of servers, taken in turn; ``origin`` is
    what a browser would say, where that is another address."""

    def __init__(
        self,
        ledger: Ledger,
        name: str,
        session: str,
        room: int,
        doors: list[str],
        *,
        origin: str | None = None,
    ) -> None:
        self.ledger = ledger
        self.name = name
        self.room = room
        self.doors = doors
        self.origin = origin
        self.epoch: str | None = None
        self.screen = Screen(name)
        ledger.screens.append(self.screen)
        self.barred: str | None = None
        self.in_room = asyncio.Event()
        self.progress = asyncio.Event()
        self.resyncs = 0
        self._session = session
        self._turn = random.randrange(len(doors))
        self._outbox: deque[Send] = deque()
        self._work = asyncio.Event()
        self._replies: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._doubt = asyncio.Event()
        self._greeted = asyncio.Event()
        self._ref = 0
        self._wait = 0.0
        self._failures = 0
        self._is_over = False
        self._task: asyncio.Task[None] | None = None

    # --- what a test asks of it -------------------------------------------------------------------------

    def start(self) -> "Member":
        self._task = asyncio.create_task(self._live())
        return self

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def say(self, body: str, client_id: UUID | None = None) -> Send:
        """Puts a message into the outbox."""
        send = self.ledger.invoke(client_id or uuid4(), self.name, body)
        self._outbox.append(send)
        self._work.set()
        return send

    def repeat(self, send: Send) -> None:
        """Sends, beside another client, what that one sends."""
        self._outbox.append(send)
        self._work.set()

    @property
    def waiting(self) -> int:
        """How many messages have no answer yet."""
        return len(self._outbox)

    @property
    def last(self) -> int:
        return self.screen.last or 0

    def check_alive(self) -> None:
        """Raises what ended it, if anything did: a fault of the harness."""
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()

    # --- the connection ---------------------------------------------------------------------------------

    async def _live(self) -> None:
        while not self._is_over:
            try:
                await self._connect()
            except (OSError, Lost, TimeoutError, websockets.WebSocketException, httpx.HTTPError) as error:
                self._note_end(error)
            self._turn += 1
            self._failures += 1
            spread = min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** (self._failures - 1))
            await asyncio.sleep(self._wait or random.uniform(0, spread))
            self._wait = 0.0

    def _note_end(self, error: Exception) -> None:
        if not self._greeted.is_set():
            return  # it never was a connection: a server that is away
        code = error.rcvd.code if isinstance(error, websockets.ConnectionClosed) and error.rcvd else None
        self.ledger.closes[code or type(error).__name__] += 1
        if code is not None and code >= RECONNECT_LIMIT:
            self.barred, self._is_over = str(code), True

    async def _connect(self) -> None:
        url = self.doors[self._turn % len(self.doors)]
        self._greeted.clear()
        self.in_room.clear()
        connection = await websockets.connect(
            url,
            origin=self.origin or _origin_of(url),
            additional_headers={"Cookie": f"session={self._session}"},
            subprotocols=["chat.v1"],
            proxy=None,
            open_timeout=10,
            ping_interval=None,
            close_timeout=0.5,
            max_queue=None,
        )
        self._replies = {}
        works = [asyncio.create_task(work(connection)) for work in (self._read, self._follow, self._send)]
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            for work in done:
                work.result()
        finally:
            self.in_room.clear()
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            connection.transport.abort()

    # --- in ----------------------------------------------------------------------------------------------

    async def _read(self, connection: Any) -> None:
        while True:
            async with asyncio.timeout(SILENCE_SECONDS):
                text = await connection.recv()
            self._take(json.loads(text))

    def _take(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "event":
            self._apply(frame)
        elif kind == "reply":
            answer = self._replies.pop(frame["ref"], None)
            data = frame.get("data") or {}
            if self.screen.base is None and "head" in data and not data["resync"]:
                self.screen.base = data["head"]  # before the first event can come
            if answer is not None and not answer.done():
                answer.set_result(frame)
        elif kind == "resync":
            self._doubt.set()
        elif kind == "room.closed":
            self.barred = frame["code"]
            self.in_room.clear()
        elif kind == "bye":
            self._wait = frame.get("retry_after") or 0.0
        self.progress.set()

    def _apply(self, event: dict[str, Any]) -> None:
        last = self.screen.last
        if last is None or event["seq"] == last + 1:
            self.ledger.display(self.screen, event)
            return
        self.ledger.wrong("repeat" if event["seq"] <= last else "gap", self.screen, event)
        if event["seq"] > last:
            raise Lost("gap")

    async def _follow(self, connection: Any) -> None:
        try:
            await self._ask(connection, "hello")
        except Refused as refused:
            self._is_over = not refused.error["retry"]
            self.barred = refused.error["code"] if self._is_over else None
            raise Lost("hello") from refused
        self._failures = 0
        self._greeted.set()
        while True:
            position = (
                {} if self.screen.last is None else {"after": self.screen.last, "epoch": self.epoch or "-"}
            )
            try:
                answer = await self._ask(connection, "room.open", room=self.room, **position)
            except Refused as refused:
                if not refused.error["retry"]:
                    self.barred = refused.error["code"]
                    await asyncio.Event().wait()
                await asyncio.sleep(refused.error.get("retry_after") or FIRST_BACKOFF_SECONDS)
                continue
            if answer["resync"]:
                self.resyncs += 1
                await self._load()
                continue
            self.epoch = answer["epoch"]
            self.in_room.set()
            self.progress.set()
            await self._doubt.wait()
            self._doubt.clear()

    async def _load(self) -> None:
        """The whole room by pages: the newest says where the log stands, the older ones follow."""
        url = self.doors[self._turn % len(self.doors)].replace("ws", "http", 1).replace("/ws/v1/", "/api/v1/")
        messages: dict[int, str | None] = {}
        async with httpx.AsyncClient(cookies={"session": self._session}, timeout=20, trust_env=False) as http:
            first = await self._page(http, f"{url}rooms/{self.room}/messages?limit=100")
            page = first
            while page["results"]:
                messages |= {one["id"]: None if one["deleted_at"] else one["body"] for one in page["results"]}
                before = page["results"][0]["seq"]
                page = await self._page(http, f"{url}rooms/{self.room}/messages?limit=100&before={before}")
        self.epoch = first["epoch"]
        self.screen.reload(first["seq"], messages)

    async def _page(self, http: httpx.AsyncClient, url: str) -> dict[str, Any]:
        while True:
            answer = await http.get(url)
            if answer.status_code == 200:
                return answer.json()
            if answer.status_code not in {429, 503}:
                raise Lost(f"{url}: {answer.status_code}")
            await asyncio.sleep(float(answer.headers.get("Retry-After", "0.5")))

    # --- out ----------------------------------------------------------------------------------------------

    async def _send(self, connection: Any) -> None:
        await self._greeted.wait()
        while True:
            while not self._outbox:
                self._work.clear()
                await self._work.wait()
            await self._deliver(connection, self._outbox[0])

    async def _deliver(self, connection: Any, send: Send) -> None:
        send.tries += 1
        asked_at = time.monotonic()
        try:
            reply = await self._ask(
                connection, "message.post", room=self.room, client_id=str(send.client_id), body=send.body
            )
        except Refused as refused:
            error = refused.error
            self.ledger.refuse(send, error["code"], time.monotonic() - asked_at, for_good=not error["retry"])
            if error["retry"]:
                await asyncio.sleep(error.get("retry_after") or FIRST_BACKOFF_SECONDS)
                return
        else:
            self.ledger.acknowledge(send, reply)
        self._outbox.popleft()
        self.progress.set()

    async def _ask(self, connection: Any, type_: str, **fields: Any) -> dict[str, Any]:
        self._ref += 1
        ref = str(self._ref)
        answer = self._replies[ref] = asyncio.get_running_loop().create_future()
        await connection.send(json.dumps({"type": type_, "ref": ref, **fields}))
        async with asyncio.timeout(ANSWER_SECONDS):
            frame = await answer
        if not frame["ok"]:
            raise Refused(frame["error"])
        return frame["data"]

    async def until(self, condition: Any, *, seconds: float) -> bool:
        """Whether ``condition()`` came true within ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition():
                    self.progress.clear()
                    await self.progress.wait()
                return True
        return False


def _origin_of(url: str) -> str:
    return url.replace("ws", "http", 1).removesuffix("/ws/v1/")
