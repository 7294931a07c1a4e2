"""A bad line: a proxy on loopback, or between Unix sockets, that delays, throttles, goes silent, or cuts."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

CHUNK = 16_384


@dataclass(eq=False, slots=True)
class _Line:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    dead: bool = False


@dataclass
class Proxy:
    """Between clients and ``target``, an address or a path. What is set here holds for every line at once.

    ``delay_seconds`` each way · ``bytes_per_second`` each way · ``deaf``: what the server says is thrown
    away, while it hears everything, so that acknowledgements are lost · ``refusing``: new lines are reset.
    """

    target: tuple[str, int] | str
    delay_seconds: float = 0.0
    bytes_per_second: float | None = None
    deaf: bool = False
    refusing: bool = False
    address: tuple[str, int] = ("", 0)
    _lines: set[_Line] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def start(self) -> "Proxy":
        """Listens on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = self._server.sockets[0].getsockname()
        return self

    async def start_at(self, path: str) -> "Proxy":
        """Listens at ``path``."""
        self._server = await asyncio.start_unix_server(self._accept, path)
        return self

    @property
    def socket_url(self) -> str:
        return f"ws://{self.address[0]}:{self.address[1]}/ws/v1/"

    def cut(self) -> int:
        """Resets every line, as a network that fails does; how many there were."""
        lines = list(self._lines)
        for line in lines:
            for writer in (line.client, line.server):
                writer.transport.abort()
        return len(lines)

    def go_silent(self) -> int:
        """Every line there is stays open and carries nothing any more, not even its end."""
        for line in self._lines:
            line.dead = True
        return len(self._lines)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        if self.refusing:
            client.transport.abort()
            return
        try:
            server_reader, server = await self._reach_target()
        except OSError:
            client.transport.abort()
            return
        line = _Line(client, server)
        self._lines.add(line)
        up = asyncio.create_task(self._carry(line, reader, server, down=False))
        down = asyncio.create_task(self._carry(line, server_reader, client, down=True))
        with self._counted(up), self._counted(down):
            try:
                await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
                if line.dead:  # neither side may learn that the other has gone
                    await asyncio.gather(up, down, return_exceptions=True)
            finally:
                for task in (up, down):
                    task.cancel()
                self._lines.discard(line)
                client.transport.abort()
                server.transport.abort()

    async def _reach_target(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection(*self.target)

    @contextlib.contextmanager
    def _counted(self, task: "asyncio.Task[None]") -> Iterator[None]:
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    async def _carry(
        self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool
    ) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while data := await reader.read(CHUNK):
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                if self.bytes_per_second:
                    await asyncio.sleep(len(data) / self.bytes_per_second)
                if line.dead or (down and self.deaf):
                    continue
                writer.write(data)
                await writer.drain()
        if line.dead:
            await asyncio.Event().wait()
