"""The ASGI application: HTTP to Django, ``/ws/v1/`` to the chat's consumer."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
django_application = get_asgi_application()

from chat.realtime.consumers import ChatConsumer  # noqa: E402 - models load after Django
from chatproject.server.bounded import Bounded  # noqa: E402

SOCKET_PATH = "/ws/v1/"


async def websocket(scope: Any, receive: Any, send: Any) -> None:
    """One consumer a socket; other paths are refused before the handshake."""
    if scope["path"] == SOCKET_PATH:
        await ChatConsumer()(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.close"})


application = ProtocolTypeRouter({"http": Bounded(django_application), "websocket": websocket})
