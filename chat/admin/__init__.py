"""The staff's desk in Django admin: it shows, and changes go through actions. A module a subject."""

from chat.admin import (
    audit,
    groups,
    held,
    hits,
    messages,
    people,
    records,
    reports,
    rooms,
    rules,
    sanctions,
)

__all__ = [
    "audit", "groups", "held", "hits", "messages", "people", "records", "reports", "rooms", "rules",
    "sanctions",
]  # fmt: skip
