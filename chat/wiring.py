"""Who listens to whom: the log to its readers, the sockets to the end of credentials."""

from accounts.credentials import credentials_revoked
from chat import log, notices
from chat.realtime import process


def connect() -> None:
    """Called once, when Django has loaded."""
    log.on_committed(process.on_committed)
    notices.on_told(process.on_told)
    credentials_revoked.connect(_on_revoked, dispatch_uid="chat.realtime")


def _on_revoked(sender: object, **kwargs: object) -> None:
    process.on_revoked(user_id=int(str(kwargs["user_id"])))
