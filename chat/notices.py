"""What is told to one person: kept until they have seen it, and shown at once where they are connected."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from chat.models import Notice, NoticeKind

Listener = Callable[[list[int], str, dict[str, Any]], None]
_listeners: list[Listener] = []


def tell(user_id: int, kind: NoticeKind, data: dict[str, Any], *, at: datetime) -> None:
    """Keeps a notice for this person and shows it after the commit. In the transaction of its cause."""
    notice = Notice.objects.create(user_id=user_id, kind=kind, data=data, created_at=at)
    hint([user_id], kind, {"notice": notice.pk, **data})


def hint(user_ids: Collection[int], kind: str, data: dict[str, Any]) -> None:
    """Shows something to these people after the commit, where they are connected; nothing is kept."""
    if user_ids:
        transaction.on_commit(partial(_announce, sorted(user_ids), kind, data))


def on_told(listener: Listener) -> None:
    """Calls ``listener(user_ids, kind, data)`` after every commit of this process that told somebody."""
    _listeners.append(listener)


def _announce(user_ids: list[int], kind: str, data: dict[str, Any]) -> None:
    for listener in _listeners:
        listener(user_ids, kind, data)
