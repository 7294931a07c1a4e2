"""The event that every peer sends: in shape and size what this project's server sends for a new message."""

from datetime import UTC, datetime
from typing import Any


def posted(seq: int, *, room: int, client_id: str, body: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "type": "event",
        "room": room,
        "seq": seq,
        "kind": "message.posted",
        "at": now,
        "actor": 1,
        "data": {
            "message": {
                "id": seq,
                "room": room,
                "seq": seq,
                "client_id": client_id,
                "author": {"id": 1, "display_name": "person 1", "is_guest": False},
                "body": body,
                "html": f"<p>{body}</p>\n",
                "reply_to": None,
                "created_at": now,
                "edited_at": None,
                "deleted_at": None,
                "deleted_by": None,
            }
        },
    }
