"""Who belongs to a room, as what, and up to where they have read."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from chat.models.room import Room


class Role(models.TextChoices):
    """What someone is in a room."""

    MEMBER = "member", "Member"
    MODERATOR = "moderator", "Moderator"
    OWNER = "owner", "Owner"


class Membership(models.Model):
    """One person in one room. ``read_seq`` never moves back."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.MEMBER)
    read_seq = models.BigIntegerField(default=0)
    joined_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role"),
            models.CheckConstraint(condition=models.Q(read_seq__gte=0), name="membership_read_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.room_id} as {self.role}"
