"""python-socketio's asynchronous server on uvicorn with uvloop; over Redis where REDIS_URL is given."""

import os
from itertools import count
from typing import Any

import socketio
import uvicorn

from benchmarks.peers.event import posted

redis_url = os.environ.get("REDIS_URL")
server = socketio.AsyncServer(
    async_mode="asgi",
    transports=["websocket"],
    http_compression=False,
    client_manager=socketio.AsyncRedisManager(redis_url) if redis_url else None,
)
seqs = count(1)


@server.event  # type: ignore[untyped-decorator]  # socketio is not typed
async def join(sid: str, room: int) -> bool:
    await server.enter_room(sid, f"room.{room}")
    return True


@server.event  # type: ignore[untyped-decorator]
async def post(_sid: str, content: dict[str, Any]) -> bool:
    event = posted(next(seqs), **content)
    await server.emit("event", event, room=f"room.{content['room']}")
    return True


if __name__ == "__main__":
    uvicorn.run(
        socketio.ASGIApp(server),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        ws="websockets",
        ws_per_message_deflate=False,
        access_log=False,
        backlog=4096,
    )
