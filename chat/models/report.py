"""Reports, and what was seen when they were made."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from chat.models.message import Message
from chat.models.reason import MAX_REASON_CHARS, Category
from chat.models.room import Room


class ReportState(models.TextChoices):
    """Where a report stands."""

    OPEN = "open", "Open"
    ASSIGNED = "assigned", "Assigned"
    DECIDED = "decided", "Decided"


class Outcome(models.TextChoices):
    """What a moderator found."""

    UPHELD = "upheld", "Upheld"
    DISMISSED = "dismissed", "Dismissed"


class Report(models.Model):
    """Someone says that a message, a person or a room is wrong; automod when ``reporter`` is null.

    ``subject`` is the person it is about: for a message its author. One reporter has one open report of
    one thing, and one of each ``client_id``. ``hid`` says that the message was hidden for the review.
    """

    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    room = models.ForeignKey(Room, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    message = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="reports")
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    rule = models.ForeignKey(
        "AutomodRule", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    category = models.CharField(max_length=16, choices=Category)
    text = models.CharField(max_length=MAX_REASON_CHARS, blank=True)
    state = models.CharField(max_length=16, choices=ReportState, default=ReportState.OPEN)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    hid = models.BooleanField(default=False)
    client_id = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        permissions = [("handle_reports", "Can assign and decide reports")]
        constraints = [
            models.CheckConstraint(condition=models.Q(category__in=Category.values), name="report_category"),
            models.CheckConstraint(
                condition=models.Q(state=ReportState.OPEN, assignee__isnull=True, outcome="")
                | models.Q(state=ReportState.ASSIGNED, assignee__isnull=False, outcome="")
                | models.Q(state=ReportState.DECIDED, outcome__in=Outcome.values, decided_at__isnull=False),
                name="report_state",
            ),
            models.CheckConstraint(
                condition=models.Q(room__isnull=False) | models.Q(subject__isnull=False),
                name="report_is_about_something",
            ),
            models.UniqueConstraint(
                fields=["reporter", "message", "subject", "room"],
                condition=~models.Q(state=ReportState.DECIDED) & models.Q(reporter__isnull=False),
                nulls_distinct=False,
                name="report_once",
            ),
            models.UniqueConstraint(
                fields=["reporter", "client_id"],
                condition=models.Q(client_id__isnull=False),
                name="report_client_id",
            ),
        ]
        indexes = [
            models.Index(
                fields=["room", "id"], condition=~models.Q(state=ReportState.DECIDED), name="report_waiting"
            ),
            models.Index(fields=["reporter", "-id"], name="report_by_reporter"),
            models.Index(fields=["subject", "-id"], name="report_by_subject"),
        ]

    def __str__(self) -> str:
        return f"report {self.pk}"


class Evidence(models.Model):
    """The message as it was when it was reported, with its earlier texts. It can be erased.

    ``edits`` is a list of {``body``, ``written_at``}, the oldest first.
    """

    report = models.OneToOneField(Report, on_delete=models.CASCADE, related_name="evidence")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    body = models.TextField()
    edits = models.JSONField(default=list)
    written_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "evidence"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"evidence of report {self.report_id}"
