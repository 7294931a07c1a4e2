"""What someone has been forbidden in a room, by whom, why and until when."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from chat.models.room import Room


class SanctionKind(models.TextChoices):
    """What a sanction forbids."""

    MUTE = "mute", "Mute"


class Sanction(models.Model):
    """In force until ``ends_at`` (for ever when null) or until it is lifted."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="sanctions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sanctions")
    kind = models.CharField(max_length=16, choices=SanctionKind, default=SanctionKind.MUTE)
    reason = models.CharField(max_length=250)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    ends_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=SanctionKind.values), name="sanction_kind"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="sanction_has_reason"),
            models.CheckConstraint(
                condition=models.Q(ends_at__isnull=True) | models.Q(ends_at__gt=models.F("created_at")),
                name="sanction_ends_after_it_begins",
            ),
            models.UniqueConstraint(
                fields=["room", "user", "kind"],
                condition=models.Q(lifted_at__isnull=True),
                name="sanction_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id} in {self.room_id}"
