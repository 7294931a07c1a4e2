"""Flask-SocketIO on gevent, as its documentation recommends."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
from typing import Any  # noqa: E402

from flask import Flask  # noqa: E402
from flask_socketio import SocketIO, emit, join_room  # noqa: E402

from benchmarks.peers.event import event_of  # noqa: E402

app = Flask(__name__)
socketio = SocketIO(app, async_mode="gevent", transports=["websocket"])
seq = 0


@socketio.on("connect")
def connect() -> None:
    join_room("room")


@socketio.on("send")
def send(message: dict[str, Any]) -> dict[str, int]:
    global seq
    seq += 1
    emit("event", event_of(seq, message["client_id"], message["body"]), to="room")
    return {"message": seq, "seq": seq}


if __name__ == "__main__":
    socketio.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))
