"""Flask-SocketIO on gevent, one process."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
from itertools import count  # noqa: E402
from typing import Any  # noqa: E402

from flask import Flask  # noqa: E402
from flask_socketio import SocketIO, join_room  # noqa: E402

from benchmarks.peers.event import posted  # noqa: E402

application = Flask(__name__)
server = SocketIO(application, async_mode="gevent", transports=["websocket"], http_compression=False)
seqs = count(1)


@server.on("join")  # type: ignore[untyped-decorator]  # flask_socketio is not typed
def join(room: int) -> bool:
    join_room(f"room.{room}")
    return True


@server.on("post")  # type: ignore[untyped-decorator]
def post(content: dict[str, Any]) -> bool:
    server.emit("event", posted(next(seqs), **content), to=f"room.{content['room']}")
    return True


if __name__ == "__main__":
    server.run(application, host="127.0.0.1", port=int(os.environ["PORT"]), log_output=False)
