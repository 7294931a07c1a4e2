"""What someone has been forbidden, in a room or everywhere, by whom, why and until when."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from chat.models.reason import MAX_REASON_CHARS, Category
from chat.models.room import Room
from chatproject.database import ClockTimestamp


class SanctionKind(models.TextChoices):
    """A warning forbids nothing. A mute forbids to write. A kick ends the membership and keeps out for a
    while; a ban keeps out and leaves the membership for the day it is over."""

    WARN = "warn", "Warning"
    MUTE = "mute", "Mute"
    KICK = "kick", "Kick"
    BAN = "ban", "Ban"


# Those that keep someone out. One of them is in force at a time: the newer takes the older one's place.
BARRING = (SanctionKind.KICK, SanctionKind.BAN)


class SanctionQuerySet(models.QuerySet["Sanction"]):
    """Reading: adjectives that chain."""

    def in_force(self) -> "SanctionQuerySet":
        """Neither lifted nor over, by the database's clock."""
        return self.filter(lifted_at__isnull=True).filter(
            models.Q(ends_at__isnull=True) | models.Q(ends_at__gt=ClockTimestamp())
        )

    def barring(self) -> "SanctionQuerySet":
        """Kicks and bans."""
        return self.filter(kind__in=BARRING)


class Sanction(models.Model):
    """In force until ``ends_at`` (for ever when null) or until it is lifted. Without a room: everywhere.

    ``by`` is null when automod did it; ``client_id`` is chosen by their client, and a repeat is this one
    again. ``reason`` is shown to the person, with the category.
    """

    room = models.ForeignKey(
        Room, null=True, blank=True, on_delete=models.CASCADE, related_name="sanctions", db_index=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sanctions")
    kind = models.CharField(max_length=16, choices=SanctionKind)
    category = models.CharField(
        max_length=16, choices=Category, default=Category.OTHER, db_default=Category.OTHER
    )
    reason = models.CharField(max_length=MAX_REASON_CHARS, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    client_id = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    ends_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True, editable=False)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    objects = SanctionQuerySet.as_manager()

    class Meta:
        permissions = [("sanction_users", "Can warn, mute, kick and ban people")]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=SanctionKind.values), name="sanction_kind"),
            models.CheckConstraint(
                condition=models.Q(category__in=Category.values), name="sanction_category"
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__isnull=True) | models.Q(ends_at__gt=models.F("created_at")),
                name="sanction_ends_after_it_begins",
            ),
            models.UniqueConstraint(
                fields=["room", "user"],
                condition=models.Q(lifted_at__isnull=True, kind=SanctionKind.MUTE),
                nulls_distinct=False,
                name="sanction_one_mute",
            ),
            models.UniqueConstraint(
                fields=["room", "user"],
                condition=models.Q(lifted_at__isnull=True, kind__in=BARRING),
                nulls_distinct=False,
                name="sanction_one_bar",
            ),
            models.UniqueConstraint(
                fields=["by", "client_id"],
                condition=models.Q(client_id__isnull=False),
                name="sanction_client_id",
            ),
        ]
        indexes = [
            models.Index(fields=["room", "-id"], name="sanction_by_room"),
            models.Index(
                fields=["-id"], condition=models.Q(lifted_at__isnull=True), name="sanction_not_lifted"
            ),
            # those in force: most that were never lifted are over
            models.Index(
                fields=["ends_at"], condition=models.Q(lifted_at__isnull=True), name="sanction_in_force"
            ),
        ]

    def __str__(self) -> str:
        place = f"room {self.room_id}" if self.room_id else "every room"
        return f"{self.get_kind_display()} of person {self.user_id} in {place}"
