"""What every scenario asks for: ``scene(name, servers=…)``, judged and told in one line at its end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from tests.cast import cast, do
from tests.faults.harness.world import World

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
        async with World(name, people, started, valkey) as world:
            yield world
            await world.settle()
            verdict = await world.judge()
        with capsys.disabled():
            print(f"\n{world.line(verdict)}", flush=True)
        assert not verdict, verdict

    return open_scene
