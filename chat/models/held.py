"""Messages that wait for a moderator. They are not in the log: approval gives them their place."""

from django.conf import settings
from django.db import models

from chat.models.message import MAX_BODY_CHARS, Message
from chat.models.room import Room


class HeldState(models.TextChoices):
    """What has become of it."""

    WAITING = "waiting", "Waiting"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"


class HeldMessage(models.Model):
    """``client_id`` is the author's: once approved the message has the same, so a repeat finds either.

    ``rule`` is the automod rule that held it; without one the room's guest policy did. ``message`` stays
    when an approval is undone: it is then deleted, and a new approval restores it in its place.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+", db_index=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    client_id = models.UUIDField()
    body = models.TextField()
    html = models.TextField()
    reply_to = models.ForeignKey(
        Message, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    rule = models.ForeignKey(
        "AutomodRule", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    state = models.CharField(max_length=16, choices=HeldState, default=HeldState.WAITING)
    message = models.OneToOneField(Message, null=True, on_delete=models.SET_NULL, related_name="held")
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["room", "author", "client_id"], name="held_client_id"),
            models.CheckConstraint(condition=models.Q(state__in=HeldState.values), name="held_state"),
            models.CheckConstraint(
                condition=models.Q(body__length__gte=1, body__length__lte=MAX_BODY_CHARS),
                name="held_body_length",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=HeldState.APPROVED) | models.Q(message__isnull=False),
                name="held_approved_is_a_message",
            ),
        ]
        indexes = [
            models.Index(
                fields=["room", "id"], condition=models.Q(state=HeldState.WAITING), name="held_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"held message {self.pk} in room {self.room_id}"
