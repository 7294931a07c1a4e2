"""One socket in each dialect the measured servers speak. Kept cheap: events are searched, not parsed."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

OnEvent = Callable[["Connection", bytes], None]
Done = Callable[[Any], None]
TIMEOUT = 30.0


class Connection(WSListener):  # type: ignore[misc]  # picows is compiled
    """A socket. ``expected`` is the number of the next message, checked by who listens."""

    def __init__(self, on_event: OnEvent, *, session: str = "", rooms: tuple[int, ...] = ()) -> None:
        self.on_event = on_event
        self.session = session
        self.rooms = rooms
        self.expected = 0
        self.closed = False
        self.transport: WSTransport
        self.waiting: dict[str, Done] = {}
        self._ref = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        self.closed = True

    def on_ws_frame(self, _transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.received(frame.get_payload_as_bytes())

    def received(self, payload: bytes) -> None:
        """One text frame."""
        raise NotImplementedError

    async def enter(self) -> None:
        """Says who we are and joins ``rooms``; events come from here on."""
        raise NotImplementedError

    def post(self, room: int, body: str, done: Done) -> None:
        """Sends a message; ``done`` is called with its acknowledgement, where the dialect has one."""
        raise NotImplementedError

    def text(self, text: str) -> None:
        self.transport.send(WSMsgType.TEXT, text.encode())

    def next_ref(self) -> str:
        self._ref += 1
        return str(self._ref)

    async def answer(self, ask: Callable[[Done], None]) -> Any:
        """What ``ask`` is answered with."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        ask(future.set_result)
        return await asyncio.wait_for(future, TIMEOUT)


class Ours(Connection):
    """docs/protocol.md."""

    refusals_expected = False

    def received(self, payload: bytes) -> None:
        if payload.startswith(b'{"type":"event"'):
            self.on_event(self, payload)
        elif payload.startswith(b'{"type":"reply"'):
            reply = json.loads(payload)
            if not reply["ok"]:
                if self.refusals_expected:
                    return
                raise RuntimeError(f"refused: {reply['error']}")
            self.waiting.pop(reply["ref"])(reply["data"])

    async def enter(self) -> None:
        await self.hello()
        for room in self.rooms:
            await self.open(room)

    async def hello(self) -> None:
        await self.answer(lambda done: self.command("hello", done))

    async def open(self, room: int, **position: Any) -> Any:
        return await self.answer(lambda done: self.command("room.open", done, room=room, **position))

    def post(self, room: int, body: str, done: Done) -> None:
        self.command("message.post", done, room=room, body=body, client_id=str(uuid.uuid4()))

    def command(self, type_: str, done: Done, **fields: Any) -> None:
        ref = self.next_ref()
        self.waiting[ref] = done
        self.text(json.dumps({"type": type_, "ref": ref, **fields}))


class SocketIO(Connection):
    """Socket.IO 5 over Engine.IO 4. The server puts everyone into the room, or ``join`` does."""

    def __init__(self, on_event: OnEvent, *, session: str = "", rooms: tuple[int, ...] = ()) -> None:
        super().__init__(on_event, session=session, rooms=rooms)
        self.entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def received(self, payload: bytes) -> None:
        if payload.startswith(b'42["event"'):
            self.on_event(self, payload)
        elif payload.startswith(b"43"):
            ref, _, rest = payload[2:].partition(b"[")
            self.waiting.pop(ref.decode())(json.loads(b"[" + rest)[0])
        elif payload == b"2":
            self.text("3")
        elif payload.startswith(b"0"):
            self.text("40")
        elif payload.startswith(b"40"):
            self.entered.set_result(None)

    async def enter(self) -> None:
        await asyncio.wait_for(self.entered, TIMEOUT)
        for room in self.rooms:
            await self.answer(lambda done, room=room: self.call("join", room, done))  # type: ignore[misc]

    def post(self, room: int, body: str, done: Done) -> None:
        message = {"room": room, "author": 1, "client_id": str(uuid.uuid4()), "body": body}
        self.call("send", message, done)

    def call(self, name: str, argument: Any, done: Done) -> None:
        ref = self.next_ref()
        self.waiting[ref] = done
        self.text(f"42{ref}{json.dumps([name, argument])}")


class Raw(Connection):
    """Bare JSON: a frame in is a message, a frame out an event."""

    def received(self, payload: bytes) -> None:
        self.on_event(self, payload)

    async def enter(self) -> None:
        """The server knows only one room."""

    def post(self, room: int, body: str, done: Done) -> None:
        self.text(json.dumps({"client_id": str(uuid.uuid4()), "body": body}))


DIALECTS: dict[str, tuple[type[Connection], str]] = {
    "ours": (Ours, "/ws/v1/"),
    "socketio": (SocketIO, "/socket.io/?EIO=4&transport=websocket"),
    "raw": (Raw, "/ws/"),
}


async def connect(
    dialect: str, port: int, on_event: OnEvent, *, session: str = "", rooms: tuple[int, ...] = ()
) -> Connection:
    """A socket after the WebSocket handshake, before ``enter``."""
    kind, path = DIALECTS[dialect]
    origin = f"http://127.0.0.1:{port}"
    headers = {"Origin": origin, "Cookie": f"session={session}"} if session else {}
    _, connection = await ws_connect(
        lambda: kind(on_event, session=session, rooms=rooms),
        f"ws://127.0.0.1:{port}{path}",
        extra_headers=headers,
        websocket_handshake_timeout=TIMEOUT,
        proxy=None,
    )
    assert isinstance(connection, Connection)
    return connection


async def enter_all(
    dialect: str,
    port: int,
    count: int,
    on_event: OnEvent,
    *,
    sessions: list[str],
    rooms: tuple[int, ...],
    at_once: int = 32,
) -> list[Connection]:
    """``count`` sockets that follow ``rooms``, each session used for as many as a person may have."""
    gate = asyncio.Semaphore(at_once)

    async def one(number: int) -> Connection:
        async with gate:
            session = sessions[number % len(sessions)] if sessions else ""
            connection = await connect(dialect, port, on_event, session=session, rooms=rooms)
            await connection.enter()
            return connection

    return list(await asyncio.gather(*(one(number) for number in range(count))))
