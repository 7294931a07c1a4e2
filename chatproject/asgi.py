"""The ASGI application: HTTP to Django, ``/ws/v1/`` to the chat's consumer."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
django_application = get_asgi_application()

from chat.realtime.consumers import ChatConsumer  # noqa: E402 - models load after Django
from chat.realtime.streams import stream  # noqa: E402
from chatproject.server.bounded import Bounded  # noqa: E402

SOCKET_PATH = "/ws/v1/"
STREAM_PATH = "/api/v1/stream"


async def websocket(scope: Any, receive: Any, send: Any) -> None:
    """One consumer a socket; other paths are refused before the handshake."""
    if scope["path"] == SOCKET_PATH:
        await ChatConsumer()(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.close"})


pages = Bounded(django_application)


async def http(scope: Any, receive: Any, send: Any) -> None:
    """Streams live beside Django, which would hold a thread and a connection for each."""
    await (stream if scope["path"] == STREAM_PATH else pages)(scope, receive, send)


application = ProtocolTypeRouter({"http": http, "websocket": websocket})
