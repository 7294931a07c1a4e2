"""A bot that answers "ping" with "pong": one token, one socket, nothing lost when the connection goes.

SITE, CLIENT_ID, CLIENT_SECRET and ROOM come from the environment. Needs httpx and websockets.
"""

import asyncio
import json
import os
import uuid

import httpx
import websockets

SITE, ROOM = os.environ["SITE"], int(os.environ["ROOM"])
APPLICATION = {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}
SCOPE = "messages:read messages:write realtime"


async def ticket(http):
    """A token of the application's own, and with it a ticket for one socket."""
    form = {"grant_type": "client_credentials", "scope": SCOPE, **APPLICATION}
    token = (await http.post("/o/token/", data=form)).raise_for_status().json()["access_token"]
    answer = await http.post("/api/v1/realtime/tickets", headers={"Authorization": f"Bearer {token}"})
    return answer.raise_for_status().json()["ticket"]


async def talk(socket, place):
    """Follows the room from ``place`` and answers. An event that was seen is not answered again."""
    await socket.send(json.dumps({"type": "room.open", "ref": "open", "room": ROOM, **place}))
    async for text in socket:
        frame = json.loads(text)
        if frame["type"] == "reply" and not frame["ok"]:
            raise SystemExit(frame["error"]["message"])
        if frame["type"] == "reply" and frame["ref"] == "open":
            place["epoch"] = frame["data"]["epoch"]
            place.setdefault("after", frame["data"]["head"])
        elif frame["type"] == "event" and frame["seq"] == place["after"] + 1:
            place["after"] = frame["seq"]
            if frame["kind"] == "message.posted" and frame["data"]["message"]["body"] == "ping":
                # The same question makes the same id: however often it is answered, it shows once.
                answer = str(uuid.uuid5(uuid.NAMESPACE_URL, f"pong:{frame['data']['message']['id']}"))
                post = {"type": "message.post", "ref": "pong", "room": ROOM, "client_id": answer}
                await socket.send(json.dumps({**post, "body": "pong"}))


async def main():
    place = {}
    async with httpx.AsyncClient(base_url=SITE) as http:
        while True:
            try:
                async with websockets.connect(f"{SITE.replace('http', 'ws', 1)}/ws/v1/") as socket:
                    hello = {"type": "hello", "ref": "hello", "ticket": await ticket(http)}
                    await socket.send(json.dumps(hello))
                    await talk(socket, place)
            except (OSError, httpx.HTTPError, websockets.WebSocketException):
                await asyncio.sleep(1)


asyncio.run(main())
