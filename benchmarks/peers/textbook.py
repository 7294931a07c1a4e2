"""The consumer of the Channels tutorial, on plain Daphne with the Redis channel layer."""

import os
from itertools import count
from typing import Any

from django.conf import settings

settings.configure(
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            # The default capacity of 100 would drop messages, which is no slower but wrong.
            "CONFIG": {
                "hosts": [{"address": os.environ["REDIS_URL"], "socket_timeout": None}],
                "capacity": 1_000_000,
                "expiry": 600,
            },
        }
    }
)

import django  # noqa: E402

django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402

from benchmarks.peers.event import posted  # noqa: E402

seqs = count(1)


class ChatConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels is not typed
    """One socket; a group for each room."""

    joined: str | None = None

    async def receive_json(self, content: dict[str, Any]) -> None:
        if content["type"] == "join":
            self.joined = f"room.{content['room']}"
            await self.channel_layer.group_add(self.joined, self.channel_name)
        else:
            event = posted(
                next(seqs), room=content["room"], client_id=content["client_id"], body=content["body"]
            )
            await self.channel_layer.group_send(
                f"room.{content['room']}", {"type": "chat.message", "event": event}
            )
        await self.send_json({"type": "reply", "ref": content["ref"], "ok": True})

    async def chat_message(self, event: dict[str, Any]) -> None:
        await self.send_json(event["event"])

    async def disconnect(self, _code: int) -> None:
        if self.joined:
            await self.channel_layer.group_discard(self.joined, self.channel_name)


application = ProtocolTypeRouter({"websocket": ChatConsumer.as_asgi()})
