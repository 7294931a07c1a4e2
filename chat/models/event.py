"""The log: one row for every change in a room."""

from django.conf import settings
from django.db import models

from chat.models.message import Message
from chat.models.room import Room


class Kind(models.TextChoices):
    """What happened. The names are those of the wire."""

    MESSAGE_POSTED = "message.posted"
    MESSAGE_EDITED = "message.edited"
    MESSAGE_DELETED = "message.deleted"
    MESSAGE_RESTORED = "message.restored"
    MESSAGE_APPROVED = "message.approved"
    MEMBER_JOINED = "member.joined"
    MEMBER_LEFT = "member.left"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    MEMBER_SANCTIONED = "member.sanctioned"
    MEMBER_UNSANCTIONED = "member.unsanctioned"
    ROOM_UPDATED = "room.updated"
    ROOM_ARCHIVED = "room.archived"


class RoomEvent(models.Model):
    """One change, at its place. It holds references, never text: payloads are built when it is read.

    ``message`` is set for the message kinds, ``subject`` (the person it is about) for the member kinds;
    ``data`` holds what else the kind needs, such as a role.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=32, choices=Kind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    message = models.ForeignKey(
        Message, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="event_seq"),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="event_seq_positive"),
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="event_kind"),
            models.CheckConstraint(
                condition=models.Q(kind__startswith="message.", message__isnull=False)
                | models.Q(kind__startswith="member.", subject__isnull=False)
                | models.Q(kind__startswith="room."),
                name="event_reference",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.room_id}/{self.seq}"
