"""An echo over WebSocket: what Autobahn's fuzzing client talks to (bin/conformance).

``python -m tests.faults.echo PORT`` serves it by our server's class, ``daphne tests.faults.echo:application``
by plain Daphne.
"""

import socket
import sys
from typing import Any


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Says what it hears, text as text and bytes as bytes."""
    await receive()
    await send({"type": "websocket.accept"})
    while (heard := await receive())["type"] == "websocket.receive":
        text, data = heard.get("text"), heard.get("bytes")
        said = {"text": text} if text is not None else {"bytes": data}
        await send({"type": "websocket.send", **said})


def main() -> None:
    from chatproject.server.process import _install_reactor

    _install_reactor()
    from chatproject.server.daphne import Server

    listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    listening.setblocking(False)
    Server(application, listening=listening).run()


if __name__ == "__main__":
    main()
