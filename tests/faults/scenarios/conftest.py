"""What every scenario asks for: ``scene(name, servers=…)``, judged and told in one line at its end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chatproject.launcher.binaries import find_valkey
from chatproject.launcher.valkey import Valkey
from tests.cast import cast, do
from tests.faults.harness.world import World


@pytest.fixture
def valkey(tmp_path_factory):
    """A Valkey of this scenario alone, which it may stop."""
    folder = tmp_path_factory.mktemp("v")
    server = Valkey(program=find_valkey(), folder=folder / "data", sockets=Path(folder), log=folder / "log")
    server.start()
    server.wait_ready()
    yield server
    server.stop()


Scene = Callable[..., contextlib.AbstractAsyncContextManager[World]]


@pytest.fixture
def scene(committed_db, start_server, valkey, capsys) -> Scene:
    """``async with scene("name", servers=2) as world``: afterwards quiet, the verdict, and the line.

    Limits of rate are lifted unless ``limits``; other keywords are the servers' environment.
    """

    @contextlib.asynccontextmanager
    async def open_scene(
        name: str, *, servers: int = 2, limits: bool = False, **environment: str
    ) -> AsyncIterator[World]:
        environment = {"REDIS_URL": valkey.url, **environment} | ({} if limits else {"NO_LIMITS": "1"})
        people = await do(cast)
        started = [await asyncio.to_thread(start_server, **environment) for _ in range(servers)]
        world = World(name, people, started, valkey)
        try:
            yield world
            await world.settle()
            verdict = await world.judge()
        finally:
            await world.close()
        with capsys.disabled():
            print(f"\n{world.line(verdict)}", flush=True)
        assert not verdict, verdict

    return open_scene
