"""The door for sockets: one consumer a connection, which reads frames and hands commands on.

It never awaits the database: a command runs beside the others and its reply is sent when it is done.
It has no channel of its own on the layer; the hub writes to it directly.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.consumer import AsyncConsumer
from django.conf import settings

from accounts.credentials import Credential
from accounts.models import User
from chat.realtime import handshake
from chat.realtime.budget import Budget
from chat.realtime.commands import Commands
from chat.realtime.outlet import Outlet, outlet_for
from chat.realtime.process import Process, current_process
from chat.realtime.protocol import (
    MAX_OUTSTANDING,
    AnyCommand,
    ByeFrame,
    Close,
    Hello,
    PostMessage,
    parse_command,
    ref_of,
    reply_error,
    reply_ok,
    to_frame,
)
from chatproject import metrics
from chatproject.errors import AppError, Code
from chatproject.server import drain

logger = logging.getLogger(__name__)

HELLO_SECONDS = 5.0
# A client that sends this much that cannot be understood is not one of ours.
MAX_REFUSED_FRAMES = 50


class ChatConsumer(AsyncConsumer):  # type: ignore[misc]  # channels is not typed
    """One connection. ``user`` is None before hello and for visitors without a name."""

    def __init__(self) -> None:
        self.user: User | None = None
        self.user_id: int | None = None
        self.credential: Credential | None = None
        self.rooms: set[int] = set()
        self.greeted = False
        self.closed = False
        self._outstanding = 0
        self._refused = 0
        self._budget = Budget()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Reads frames until the peer has gone; whatever happens, nothing of it stays behind."""
        self._scope, self._send = scope, send
        self.outlet: Outlet = outlet_for(scope, send, on_slow=self._too_slow)
        self._process: Process = current_process()
        self._commands = Commands(self, self._process)
        self._loop = asyncio.get_running_loop()
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                if message["type"] == "websocket.connect":
                    await self._connect()
                elif not self.closed:
                    self._receive(message)
        except Exception:
            logger.exception("A socket failed")
            self.end(Close.BUSY, "Something went wrong on our side.", 1.0)
        finally:
            self._gone()

    def write(self, frame: bytes) -> None:
        """Sends ``frame`` after what was written before. A peer that does not read is dropped."""
        if not self.closed:
            self.outlet.write(frame)

    def end(self, code: int, reason: str, retry_after: float | None = None) -> None:
        """Says why and closes; nothing is written after it."""
        if self.closed:
            return
        self.closed = True
        self._process.hub.close_all(self)
        self.outlet.write(to_frame(ByeFrame(code, reason, retry_after)))
        self.outlet.close(code)

    # --- in ----------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        await self._send({"type": "websocket.accept", "subprotocol": handshake.subprotocol(self._scope)})
        metrics.SOCKETS.inc()
        self._process.count(self)
        self._deadline = self._loop.call_later(
            HELLO_SECONDS, self.end, Close.NOT_AUTHENTICATED, "No hello within 5 s."
        )
        if drain.draining():
            self.end(Close.RESTART, "The server restarts.", 1.0)
        await self._commands.admit(self._scope)

    def _receive(self, message: dict[str, Any]) -> None:
        frame = message.get("text")
        wait = self._budget.spend(message.get("bytes") or b"" if frame is None else frame)
        if wait is not None and not settings.NO_LIMITS:
            self.end(Close.RATE, "Too many frames, or too much in them.", wait)
            return
        try:
            command = parse_command(frame)
            if self._outstanding >= MAX_OUTSTANDING:
                raise AppError(
                    Code.RATE_LIMITED, f"At most {MAX_OUTSTANDING} commands at a time.", retry_after=0.5
                )
            # Noted here, in the order of the frames: the next one may be in the same packet.
            if isinstance(command, Hello):
                self._commands.expect_hello()
            elif not self._commands.hello_came:
                raise AppError(Code.UNAUTHENTICATED, "Say hello first.")
        except AppError as refusal:
            self.write(reply_error(ref_of(frame), refusal))
            self._refused += refusal.code in {Code.INVALID, Code.TOO_LARGE}
            if self._refused >= MAX_REFUSED_FRAMES:
                self.end(Close.PROTOCOL_ERROR, "Too many frames that cannot be understood.")
            return
        self._outstanding += 1
        if isinstance(command, PostMessage):
            self._commands.queue_post(command)
        else:
            self._spawn(self._answer(command))

    async def _answer(self, command: AnyCommand) -> None:
        await self.reply_with(command.ref, self._commands.run(command))

    async def reply_with(self, ref: str, work: Awaitable[dict[str, Any]]) -> None:
        """The one reply to ``ref``: what ``work`` returns, or why it was refused."""
        try:
            data = await work
            self.write(reply_ok(ref, data))
        except AppError as refusal:
            self.write(reply_error(ref, refusal))
        except Exception:
            logger.exception("A command failed")
            self.write(reply_error(ref, AppError(Code.INTERNAL)))
        finally:
            self._outstanding -= 1
        self._commands.after_reply(ref)

    def greet(self, user: User | None, credential: Credential | None) -> bool:
        """Hello was said: who is speaking. False when they have too many sockets."""
        self._deadline.cancel()
        self.user, self.user_id, self.credential = user, user.pk if user else None, credential
        self.greeted = self._process.hub.people.add(self)
        return self.greeted

    # --- out ---------------------------------------------------------------------------------------

    def _too_slow(self) -> None:
        if not self.closed:
            metrics.SLOW_READERS.inc()
            self.end(Close.TOO_SLOW, "Too slow, resume.", 0.0)

    def _gone(self) -> None:
        self.closed = True
        if self._process.uncount(self):
            metrics.SOCKETS.dec()
            self._deadline.cancel()
        self._process.hub.close_all(self)
        if self.greeted:
            self._process.hub.people.remove(self)
        self._commands.stop()

    def _spawn(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
