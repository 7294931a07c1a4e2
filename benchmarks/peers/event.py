"""The event every peer sends: the fields and the size of our ``message.posted``."""

from datetime import UTC, datetime
from typing import Any


def event_of(seq: int, client_id: str, body: str) -> dict[str, Any]:
    """One message, posted."""
    now = datetime.now(UTC).isoformat()
    author = {"id": 1, "display_name": "bench-000001", "is_guest": False}
    message = {
        "id": seq,
        "room": 1,
        "seq": seq,
        "client_id": client_id,
        "author": author,
        "body": body,
        "html": f"<p>{body}</p>",
        "reply_to": None,
        "created_at": now,
        "edited_at": None,
        "deleted_at": None,
        "deleted_by": None,
    }
    return {
        "type": "event",
        "room": 1,
        "seq": seq,
        "kind": "message.posted",
        "at": now,
        "actor": 1,
        "data": {"message": message},
    }
