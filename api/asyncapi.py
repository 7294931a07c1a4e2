"""The AsyncAPI 3 document of the socket and the streams, from the typed frames themselves."""

from typing import Any, get_args

import msgspec
from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import SCOPES
from api.door import Door
from chat.payloads import EventPayload
from chat.realtime import protocol
from chat.realtime.protocol import SUBPROTOCOL

COMMANDS: tuple[type[msgspec.Struct], ...] = get_args(protocol.AnyCommand)
FRAMES: tuple[type[msgspec.Struct], ...] = (
    protocol.Reply,
    EventPayload,
    protocol.HeadsFrame,
    protocol.ResyncFrame,
    protocol.RoomClosedFrame,
    protocol.ReadFrame,
    protocol.TypingFrame,
    protocol.NotificationFrame,
    protocol.ByeFrame,
)
_REF = "#/components/schemas/{name}"


def document() -> dict[str, Any]:
    """The whole document. Its messages are named by the ``type`` of their frames."""
    _, schemas = msgspec.json.schema_components([*COMMANDS, *FRAMES], ref_template=_REF)
    names = {struct.__name__: _type_of(struct) for struct in (*COMMANDS, *FRAMES)}
    messages = {
        name: {
            "name": kind,
            "title": kind,
            "summary": _first_line(schemas[name].get("description", "")),
            "contentType": "application/json",
            "payload": {"$ref": _REF.format(name=name)},
        }
        for name, kind in names.items()
    }
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": f"{settings.SITE_NAME}, live",
            "version": "1",
            "description": "One socket for all rooms of a client, and streams of server-sent events.",
        },
        "defaultContentType": "application/json",
        "servers": {"site": _server()},
        "channels": {"socket": _channel(names)},
        "operations": _operations(),
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {"oauth": _oauth()},
        },
    }


class AsyncApi(Door):
    """The document, for everybody."""

    schema = None

    def get(self, _request: Request) -> Response:
        return Response(document())


def _type_of(struct: type[msgspec.Struct]) -> str:
    tag = struct.__struct_config__.tag
    assert isinstance(tag, str)  # noqa: S101 - every frame has one
    return tag


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _server() -> dict[str, Any]:
    scheme, _, host = settings.SITE_URL.partition("://")
    return {
        "host": host,
        "protocol": "wss" if scheme == "https" else "ws",
        "security": [{"$ref": "#/components/securitySchemes/oauth"}],
    }


def _channel(names: dict[str, str]) -> dict[str, Any]:
    return {
        "address": "/ws/v1/",
        "title": "The socket",
        "description": f"JSON text frames. Subprotocol, if offered: {SUBPROTOCOL}. First comes `hello`.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
    }


def _operations() -> dict[str, Any]:
    """As the server sees it: it receives commands, each answered by a reply, and sends frames."""

    def of(structs: tuple[type[msgspec.Struct], ...]) -> list[dict[str, str]]:
        return [{"$ref": f"#/channels/socket/messages/{struct.__name__}"} for struct in structs]

    channel = {"$ref": "#/channels/socket"}
    reply = {"channel": channel, "messages": of((protocol.Reply,))}
    return {
        "commands": {"action": "receive", "channel": channel, "messages": of(COMMANDS), "reply": reply},
        "frames": {"action": "send", "channel": channel, "messages": of(FRAMES[1:])},
    }


def _oauth() -> dict[str, Any]:
    return {
        "type": "oauth2",
        "description": "A token buys a ticket, which `hello` carries.",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": f"{settings.SITE_URL}/o/authorize/",
                "tokenUrl": f"{settings.SITE_URL}/o/token/",
                "availableScopes": {name: str(words) for name, words in SCOPES.items()},
            }
        },
    }
