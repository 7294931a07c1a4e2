"""What moderators did: append-only, in a chain. A trigger refuses every change of a row."""

from django.conf import settings
from django.db import models

from chat.models.reason import MAX_REASON_CHARS, Category
from chat.models.room import Room


class ModerationAction(models.Model):
    """One action, with ids and settings and no text of anybody (``ActionNote`` has the moderator's).

    ``actor`` is null for automod. ``target`` names what was changed, such as ``message:12``. ``undoes`` is
    the action that this one takes back: at most one does. ``digest`` is over the row and ``previous``.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=40)
    room = models.ForeignKey(Room, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    target = models.CharField(max_length=60)
    category = models.CharField(max_length=16, choices=Category, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    undoes = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="undone_by", verbose_name="takes back"
    )
    request_id = models.CharField(max_length=36, blank=True)
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ("view",)
        permissions = [("view_audit", "Can read and export the audit")]
        constraints = [
            models.UniqueConstraint(fields=["previous"], name="action_chain"),
        ]
        indexes = [
            models.Index(fields=["actor", "-id"], name="action_by_actor"),
            models.Index(fields=["room", "-id"], name="action_by_room"),
            models.Index(fields=["subject", "-id"], name="action_by_subject"),
            models.Index(fields=["kind", "-id"], name="action_by_kind"),
            models.Index(fields=["target"], name="action_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"


class ActionNote(models.Model):
    """The moderator's own words on an action. Text, so it can be erased without breaking the chain."""

    action = models.OneToOneField(ModerationAction, on_delete=models.PROTECT, related_name="note")
    text = models.CharField(max_length=MAX_REASON_CHARS)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.text
