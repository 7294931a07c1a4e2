"""What each command of a socket does: the actions it calls, and the data of its reply."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from uuid import uuid4

from structlog.contextvars import bind_contextvars

from accounts.credentials import Credential
from accounts.models import User
from accounts.scopes import check_scope
from chat.actions.drafts import Draft, Held, Posted
from chat.actions.messages import delete_message, edit_message, restore_message
from chat.models import MAX_BODY_CHARS
from chat.payloads import instant, person_payload
from chat.realtime import handshake
from chat.realtime import protocol as wire
from chat.realtime.addresses import Seat
from chat.realtime.hub import HEARTBEAT_SECONDS
from chat.realtime.process import Process
from chat.realtime.room import Socket, Subscription
from chatproject import limits, metrics
from chatproject.address import scope_address
from chatproject.errors import AppError, Code
from chatproject.server import drain

LIMITS = {
    "max_body_chars": MAX_BODY_CHARS,
    "max_frame_bytes": wire.MAX_FRAME_BYTES,
    "max_outstanding": wire.MAX_OUTSTANDING,
}


class Connection(Socket, Protocol):
    """What commands need of their socket."""

    def greet(self, user: User | None, credential: Credential | None) -> bool: ...

    async def reply_with(self, ref: str, work: Awaitable[dict[str, Any]]) -> None: ...


class Commands:
    """The commands of one socket. Posts keep their order; the rest run side by side."""

    def __init__(self, socket: Connection, process: Process) -> None:
        self._socket = socket
        self._process = process
        self._scope: Mapping[str, Any] = {}
        self._address = ""
        self._seat: Seat | None = None
        self._hello: asyncio.Future[None] | None = None
        self._to_follow: dict[str, Subscription] = {}
        self._opening: dict[int, wire.OpenRoom] = {}
        self._posts: deque[wire.PostMessage] = deque()
        self._posting: asyncio.Task[None] | None = None

    @property
    def hello_came(self) -> bool:
        """Whether hello has been received; what comes before its reply waits for it."""
        return self._hello is not None

    def expect_hello(self) -> None:
        """Hello has been received: from here on commands wait for its reply. Raises AppError INVALID."""
        if self._hello is not None:
            raise AppError(Code.INVALID, "Hello was said before.")
        self._hello = asyncio.get_running_loop().create_future()

    async def admit(self, scope: Mapping[str, Any]) -> None:
        """Counts the connection against its address; one too many is told to come back later."""
        self._scope = scope
        self._address = scope_address(scope)
        try:
            await limits.acheck(limits.SOCKETS_PER_ADDRESS, self._address)
            self._seat = self._process.addresses.take(self._address)
        except AppError as refusal:
            self._socket.end(wire.Close.RATE, refusal.message, refusal.retry_after)

    async def run(self, command: wire.AnyCommand) -> dict[str, Any]:
        """Carries ``command`` out; the data of its reply. Raises AppError."""
        if isinstance(command, wire.Hello):
            return await self._say_hello(command)
        if isinstance(command, wire.OpenRoom):
            return await self._run_open(command)
        if isinstance(command, wire.CloseRoom):
            self._close(command.room)
        return await self._run_limited(command)

    # Opens are noted and closes done before anything is waited for: whatever finishes first, the order is
    # that of the frames.

    async def _run_open(self, command: wire.OpenRoom) -> dict[str, Any]:
        self._opening[command.room] = command
        try:
            return await self._run_limited(command)
        finally:
            if self._opening.get(command.room) is command:
                del self._opening[command.room]

    async def _run_limited(self, command: wire.AnyCommand) -> dict[str, Any]:
        await self._greeted()
        self._check_scope(command)
        if not isinstance(command, wire.Ping | wire.Typing | wire.CloseRoom):
            await limits.acheck(limits.COMMANDS_PER_PERSON, self._socket.user_id or self._address)
        handler = _HANDLERS[type(command)]
        return await handler(self, command)

    def queue_post(self, command: wire.PostMessage) -> None:
        """Sends after the posts that came before."""
        self._posts.append(command)
        if self._posting is None:
            self._posting = asyncio.get_running_loop().create_task(self._post_in_order())

    def after_reply(self, ref: str) -> None:
        """A room that was opened begins to flow once its reply has been written."""
        subscription = self._to_follow.pop(ref, None)
        if subscription is not None:
            self._process.hub.follow(subscription)

    def stop(self) -> None:
        """The socket has gone. What the writer has accepted is still written."""
        self._posts.clear()
        if self._seat is not None:
            self._seat.leave()
        if self._hello is not None and not self._hello.done():
            self._hello.cancel()

    async def _say_hello(self, command: wire.Hello) -> dict[str, Any]:
        try:
            user, credential = await self._process.pool.run(
                handshake.authenticate, self._scope, command.ticket
            )
            if user is not None:
                await limits.acheck(limits.SOCKETS_PER_PERSON, user.pk)
            epoch = await self._process.hub.epoch()
            if self._socket.closed:
                raise AppError(Code.UNAUTHENTICATED)
            if not self._socket.greet(user, credential):
                raise AppError(Code.RATE_LIMITED, "Too many connections at once.", retry_after=30.0)
            if user is not None and self._seat is not None:
                self._seat.name()
        except AppError as refusal:
            asyncio.get_running_loop().call_soon(self._refuse, refusal)
            raise
        if self._hello is not None:
            self._hello.set_result(None)
        return {
            "user": person_payload(user) if user else None,
            "epoch": epoch,
            "heartbeat": HEARTBEAT_SECONDS,
            "limits": LIMITS,
            "server_time": instant(self._process.hub.now()),
        }

    def _refuse(self, refusal: AppError) -> None:
        """Closes after the reply. Waiting commands are answered by the close."""
        code = {
            Code.UNAUTHENTICATED: wire.Close.NOT_AUTHENTICATED,
            Code.BANNED: wire.Close.BANNED,
            Code.RATE_LIMITED: wire.Close.RATE,
        }.get(refusal.code, wire.Close.BUSY)
        self._socket.end(code, refusal.message, refusal.retry_after)

    async def _greeted(self) -> None:
        if self._hello is None:
            raise AppError(Code.UNAUTHENTICATED)
        await asyncio.shield(self._hello)

    def _check_scope(self, command: wire.AnyCommand) -> None:
        """Raises AppError FORBIDDEN where an application was not allowed this."""
        scope = _SCOPES.get(type(command))
        if scope is not None and self._socket.credential is not None:
            check_scope(self._socket.credential.scopes, scope)

    def _user(self) -> User:
        if self._socket.user is None:
            raise AppError(Code.UNAUTHENTICATED)
        return self._socket.user

    async def _post_in_order(self) -> None:
        """Hands posts to the writer one after the other; replies come when each is committed."""
        try:
            while self._posts:
                command = self._posts.popleft()
                try:
                    await self._greeted()
                    self._check_scope(command)
                    user = self._user()
                    if drain.draining():
                        raise AppError(Code.UNAVAILABLE, retry_after=1.0)
                    await limits.acheck(limits.SENDS_PER_PERSON, user.pk)
                    draft = Draft(user, command.client_id, command.body, command.reply_to)
                    outcome: Awaitable[Posted | Held] = self._process.writer.post(command.room, draft)
                except Exception as error:  # told in the reply, which logs what is no refusal
                    outcome = _refused(error)
                self._process.tasks.spawn(self._socket.reply_with(command.ref, _posted(outcome)))
        finally:
            self._posting = None

    async def _open(self, command: wire.OpenRoom) -> dict[str, Any]:
        self._check_still_wanted(command)
        subscription, reply = await self._process.hub.open(
            self._socket, command.room, command.after, command.epoch
        )
        try:
            self._check_still_wanted(command)
        except AppError:
            self._process.hub.forget(subscription)
            raise
        self._to_follow[command.ref] = subscription
        return reply

    def _check_still_wanted(self, command: wire.OpenRoom) -> None:
        if self._opening.get(command.room) is not command:
            raise AppError(Code.CONFLICT, "The room was closed, or opened again, meanwhile.")

    def _close(self, room_id: int) -> None:
        self._opening.pop(room_id, None)
        self._process.hub.close(self._socket, room_id)

    async def _edit(self, command: wire.EditMessage) -> dict[str, Any]:
        return await self._change(command.message, edit_message, body=command.body)

    async def _delete(self, command: wire.DeleteMessage) -> dict[str, Any]:
        return await self._change(command.message, delete_message)

    async def _restore(self, command: wire.RestoreMessage) -> dict[str, Any]:
        return await self._change(command.message, restore_message)

    async def _change(self, message_id: int, action: Callable[..., int], **what: str) -> dict[str, Any]:
        # A moderator's change is found in the audit by this id, as one by REST is by its own.
        bind_contextvars(request_id=uuid4().hex)
        seq = await self._process.pool.run(action, self._user(), message_id, **what)
        return {"message": message_id, "seq": seq}

    async def _read(self, command: wire.ReadRoom) -> dict[str, Any]:
        self._user()
        return {"read": await self._process.hub.read(self._socket, command.room, command.seq)}

    async def _type(self, command: wire.Typing) -> dict[str, Any]:
        self._process.hub.typing(self._socket, command.room, person_payload(self._user()))
        return {}

    async def _nothing_more(self, _: wire.Ping | wire.CloseRoom) -> dict[str, Any]:
        return {}


# What an application needs for each command; those that are missing need no more than the ticket.
_SCOPES: dict[type[wire.Command], str] = {
    wire.OpenRoom: "messages:read",
    wire.PostMessage: "messages:write",
    wire.EditMessage: "messages:write",
    wire.DeleteMessage: "messages:write",
    wire.RestoreMessage: "messages:write",
    wire.ReadRoom: "messages:read",
    wire.Typing: "messages:write",
}

_HANDLERS: dict[type[wire.Command], Callable[[Commands, Any], Awaitable[dict[str, Any]]]] = {
    wire.OpenRoom: Commands._open,
    wire.CloseRoom: Commands._nothing_more,
    wire.EditMessage: Commands._edit,
    wire.DeleteMessage: Commands._delete,
    wire.RestoreMessage: Commands._restore,
    wire.ReadRoom: Commands._read,
    wire.Typing: Commands._type,
    wire.Ping: Commands._nothing_more,
}


async def _refused(error: Exception) -> Posted | Held:
    raise error


async def _posted(outcome: Awaitable[Posted | Held]) -> dict[str, Any]:
    try:
        posted = await outcome
    except AppError as refusal:
        metrics.SENDS.labels(refusal.code).inc()
        raise
    if isinstance(posted, Held):
        metrics.SENDS.labels("held").inc()
        return {"held": True, "replayed": posted.replayed}
    metrics.SENDS.labels("replayed" if posted.replayed else "posted").inc()
    return {
        "message": posted.message_id,
        "seq": posted.seq,
        "created_at": posted.created_at,
        "replayed": posted.replayed,
    }
