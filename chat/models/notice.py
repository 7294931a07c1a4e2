"""What someone is told in person: a sanction and its reason, a report's outcome, a decision."""

from django.conf import settings
from django.db import models


class NoticeKind(models.TextChoices):
    """The names are those of the wire."""

    SANCTIONED = "sanctioned"
    UNSANCTIONED = "unsanctioned"
    REPORT_DECIDED = "report.decided"
    HELD_APPROVED = "held.approved"
    HELD_REJECTED = "held.rejected"
    MESSAGE_REMOVED = "message.removed"


class Notice(models.Model):
    """Kept until the person has seen it, whether or not they were connected when it was made."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=32, choices=NoticeKind)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=NoticeKind.values), name="notice_kind")
        ]
        indexes = [
            models.Index(
                fields=["user", "id"], condition=models.Q(seen_at__isnull=True), name="notice_unseen"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} for person {self.user_id}"
