"""python-socketio on uvicorn; its Redis manager where asked."""

import os
from typing import Any

import socketio

from benchmarks.peers.event import event_of

manager = socketio.AsyncRedisManager(os.environ["PEER_REDIS"]) if "PEER_REDIS" in os.environ else None
server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"], client_manager=manager)
application = socketio.ASGIApp(server)
seq = 0


@server.event
async def connect(sid: str, _environ: Any, _auth: Any = None) -> None:
    await server.enter_room(sid, "room")


@server.on("send")
async def send(_sid: str, message: dict[str, Any]) -> dict[str, int]:
    global seq
    seq += 1
    await server.emit("event", event_of(seq, message["client_id"], message["body"]), room="room")
    return {"message": seq, "seq": seq}
