"""A message. Its text stays when it is deleted, so that it can be restored; no door shows it."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Length

from chat.models.room import Room

MAX_BODY_CHARS = 4000
models.TextField.register_lookup(Length)


class MessageQuerySet(models.QuerySet["Message"]):
    """Reading: adjectives that chain. Order is always seq."""

    def by_author(self, user_id: int) -> "MessageQuerySet":
        """Those of one person in all rooms, by the index of authors in rooms."""
        return self.filter(author_id=user_id, room_id__in=Room.objects.values("pk"))

    def page_before(self, seq: int, limit: int) -> list["Message"]:
        """Up to ``limit`` messages with a lower seq, oldest first."""
        return list(self.filter(seq__lt=seq).order_by("-seq")[:limit])[::-1]

    def page_after(self, seq: int, limit: int) -> list["Message"]:
        """Up to ``limit`` messages with a higher seq, oldest first."""
        return list(self.filter(seq__gt=seq).order_by("seq")[:limit])


class Message(models.Model):
    """One message in one room; ``seq`` is that of its posting.

    ``client_id`` is chosen by the author's client: the same one never makes a second message. The table
    has few indexes on purpose: each one is paid for by every send.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages", db_index=False)
    seq = models.BigIntegerField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    client_id = models.UUIDField()
    body = models.TextField()
    html = models.TextField()
    reply_to = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )

    objects = MessageQuerySet.as_manager()

    class Meta:
        permissions = [("moderate_messages", "Can remove, restore, approve and reject messages")]
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="message_seq"),
            models.UniqueConstraint(fields=["room", "author", "client_id"], name="message_client_id"),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="message_seq_positive"),
            models.CheckConstraint(
                condition=models.Q(body__length__gte=1, body__length__lte=MAX_BODY_CHARS),
                name="message_body_length",
            ),
        ]
        indexes = [
            # slow mode: an author's last message in a room
            models.Index(fields=["room", "author", "-seq"], name="message_by_author"),
            # the desk's lists of what was taken away: a send does not touch them
            models.Index(
                fields=["-id"], condition=models.Q(deleted_at__isnull=False), name="message_deleted"
            ),
            models.Index(
                fields=["author", "-id"],
                condition=models.Q(deleted_at__isnull=False),
                name="message_deleted_of",
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk} in room {self.room_id}"
