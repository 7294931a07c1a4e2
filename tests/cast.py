"""The cast: alice moderates, bob belongs, carol is muted, dave is outside, gil is a guest.

Every test has its own people and room, so that none depends on what another left behind.
"""

import asyncio
import json
import uuid
from dataclasses import dataclass
from typing import Any

import websockets
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections

from accounts.actions.guests import create_guest
from accounts.models import User
from chat.actions.members import add_member, change_role, join_room
from chat.actions.rooms import create_room
from chat.actions.sanctions import sanction_person
from chat.models import GuestPolicy, Room, RoomKind
from chatproject.limits import Limit, consume
from tests.contract import check_frame

WAIT_SECONDS = 10.0


@dataclass
class Cast:
    """A room and the people around it; ``olga`` owns it."""

    room: Room
    olga: User
    alice: User
    bob: User
    carol: User
    dave: User
    gil: User


def person(name: str) -> User:
    """Someone with an account, whose name is taken by nobody else."""
    unique = f"{name}-{uuid.uuid4().hex[:8]}"
    user = User(username=unique, email=f"{unique}@example.org", display_name=unique)
    from accounts.names import skeleton

    user.name_skeleton = skeleton(unique)
    user.set_unusable_password()  # hashing one costs more than most tests
    user.save()
    return user


def cast(*, kind: str = RoomKind.PUBLIC, guest_policy: str | None = None) -> Cast:
    """A room with its people; private ones have no guests."""
    policy = guest_policy or (GuestPolicy.WRITE if kind == RoomKind.PUBLIC else GuestPolicy.NONE)
    olga, alice, bob, carol, dave = map(person, ["olga", "alice", "bob", "carol", "dave"])
    gil = create_guest(f"gil-{uuid.uuid4().hex[:8]}")
    room = create_room(olga, name="Test", kind=kind, guest_policy=policy, slug=f"t-{uuid.uuid4().hex}")
    for user in (alice, bob, carol):
        add_member(olga, room.pk, display_name=user.display_name)
    change_role(olga, room.pk, alice.pk, role="moderator")
    if kind == RoomKind.PUBLIC and policy == GuestPolicy.WRITE:
        join_room(gil, room.pk)
    sanction_person(alice, carol.pk, kind="mute", room_id=room.pk)
    room.refresh_from_db()
    return Cast(room, olga, alice, bob, carol, dave, gil)


def session_for(user: User) -> str:
    """The key of a new session of ``user``."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "accounts.backends.Backend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    assert session.session_key
    return session.session_key


class Refused(Exception):
    """A reply that is an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.code = error["code"]
        self.error = error
        super().__init__(str(error))


class Client:
    """A socket that keeps every frame and holds it against the contract, answers its own refs and applies
    events as a reader must."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self.changed = asyncio.Event()
        self.closed: int | None = None
        self.broken: Exception | None = None
        self._ref = 0
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            async for text in self.connection:
                frame = json.loads(text)
                try:
                    check_frame(frame)
                except Exception as error:  # raised where somebody waits
                    self.broken = error
                self.frames.append(frame)
                self.changed.set()
        except websockets.ConnectionClosedError:
            pass
        self.closed = self.connection.close_code
        self.changed.set()

    async def until(self, found: Any, *, seconds: float = WAIT_SECONDS) -> Any:
        """Waits until ``found(self)`` is true and returns it."""
        async with asyncio.timeout(seconds):
            while not (result := found(self)):
                self.changed.clear()
                if self.broken is not None:
                    raise self.broken
                if self.closed is not None:
                    raise AssertionError(f"closed with {self.closed}; frames: {self.frames[-5:]}")
                await self.changed.wait()
        return result

    async def until_closed(self, *, seconds: float = WAIT_SECONDS) -> int:
        async with asyncio.timeout(seconds):
            while self.closed is None:
                self.changed.clear()
                await self.changed.wait()
        return self.closed

    async def send(self, type_: str, **fields: Any) -> str:
        """Sends a command without waiting; its ref."""
        self._ref += 1
        ref = fields.pop("ref", f"r{self._ref}")
        await self.connection.send(json.dumps({"type": type_, "ref": ref, **fields}))
        return ref

    async def reply(self, ref: str | None, *, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """The data of the reply to ``ref``; raises Refused."""
        frame = await self.until(
            lambda c: next((f for f in c.frames if f["type"] == "reply" and f["ref"] == ref), None),
            seconds=seconds,
        )
        if not frame["ok"]:
            raise Refused(frame["error"])
        return frame["data"]

    async def ask(self, type_: str, **fields: Any) -> dict[str, Any]:
        return await self.reply(await self.send(type_, **fields))

    async def post(self, room: int, body: str, client_id: str | None = None, **fields: Any) -> dict[str, Any]:
        return await self.ask(
            "message.post", room=room, body=body, client_id=client_id or str(uuid.uuid4()), **fields
        )

    def events(self, room: int) -> list[dict[str, Any]]:
        return [f for f in self.frames if f["type"] == "event" and f["room"] == room]

    async def until_seq(self, room: int, seq: int, *, seconds: float = WAIT_SECONDS) -> list[dict[str, Any]]:
        """All events of the room once ``seq`` is here; checks that there is no gap and no repeat."""
        await self.until(lambda c: any(e["seq"] >= seq for e in c.events(room)), seconds=seconds)
        events = self.events(room)
        seqs = [event["seq"] for event in events]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), seqs
        return events

    async def close(self) -> None:
        await self.connection.close()
        await self._task


async def connect(
    url: str,
    session: str | None = None,
    *,
    origin: str | None = "own",
    forwarded: str | None = None,
    **options: Any,
) -> Client:
    """A socket before hello. ``forwarded`` is the address that a proxy, or who plays one, gives for it."""
    headers = {"Cookie": f"session={session}"} if session else {}
    if forwarded:
        headers["X-Forwarded-For"] = forwarded
    if origin == "own":
        origin = url.replace("ws", "http", 1).removesuffix("/ws/v1/")
    connection = await websockets.connect(
        url, origin=origin, additional_headers=headers, subprotocols=["chat.v1"], proxy=None, **options
    )
    return Client(connection)


async def enter(url: str, session: str | None = None, *rooms: int) -> Client:
    """A socket that has said hello and follows ``rooms``."""
    client = await connect(url, session)
    await client.ask("hello")
    for room in rooms:
        await client.ask("room.open", room=room)
    return client


async def do(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Runs database work of a test beside its event loop, on a connection that is given back."""

    def work() -> Any:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(work)


async def member(url: str, user: User, *rooms: int) -> Client:
    """A socket of ``user``, signed in by session cookie, that follows ``rooms``."""
    return await enter(url, await do(session_for, user), *rooms)


def use_up(limit: Limit, key: int | str) -> None:
    """Nothing is left to ``key`` of ``limit`` for half an hour, however fast it fills again."""
    assert consume(Limit(limit.name, 2, 3600), key).allowed
