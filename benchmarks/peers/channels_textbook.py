"""The consumer of Channels' tutorial, asynchronous, on the Redis layer; for plain daphne.

The layer's capacity is raised: with the default of 100 it would drop messages of a burst without a word.
"""

import os
from typing import Any

import django
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path

from benchmarks.peers.event import event_of

settings.configure(
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {
                "hosts": [{"address": os.environ["REDIS_URL"], "socket_timeout": None}],
                "prefix": "textbook",
                "capacity": 100_000,
            },
        }
    },
)
django.setup()


class Textbook(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels is not typed
    seq = 0

    async def connect(self) -> None:
        await self.channel_layer.group_add("room", self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard("room", self.channel_name)

    async def receive_json(self, content: dict[str, Any], **_: Any) -> None:
        Textbook.seq += 1
        event = event_of(Textbook.seq, content["client_id"], content["body"])
        await self.channel_layer.group_send("room", {"type": "chat.message", "event": event})

    async def chat_message(self, event: dict[str, Any]) -> None:
        await self.send_json(event["event"])


application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/", Textbook.as_asgi())])})
