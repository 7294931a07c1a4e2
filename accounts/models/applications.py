"""The applications of third parties, and what people have allowed them."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from oauth2_provider.models import AbstractApplication

from accounts.models.people import User

MAX_REQUESTS_PER_MINUTE = 6000


class ApplicationStatus(models.TextChoices):
    """What staff have decided."""

    PENDING = "pending", "Waits for staff"
    APPROVED = "approved", "Approved"
    SUSPENDED = "suspended", "Suspended"


class Application(AbstractApplication):  # type: ignore[misc]
    """An OAuth client. ``user`` has registered it; ``bot`` is the account it acts as without a person.

    While it waits for staff only its owner can use it. ``requests_per_minute`` is its limit in REST.
    """

    description = models.CharField(max_length=500, blank=True)
    website = models.URLField(blank=True, max_length=200)
    status = models.CharField(
        max_length=16, choices=ApplicationStatus, default=ApplicationStatus.PENDING, editable=False
    )
    allowed_scopes = models.TextField(help_text="What it may ask for at most, separated by spaces.")
    requests_per_minute = models.PositiveIntegerField(
        default=600, validators=[MinValueValidator(1), MaxValueValidator(MAX_REQUESTS_PER_MINUTE)]
    )
    bot = models.OneToOneField(
        User, null=True, on_delete=models.PROTECT, related_name="bot_of", editable=False
    )

    class Meta(AbstractApplication.Meta):  # type: ignore[misc]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=ApplicationStatus.values), name="application_status"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    requests_per_minute__gte=1, requests_per_minute__lte=MAX_REQUESTS_PER_MINUTE
                ),
                name="application_requests",
            ),
        ]

    def is_usable(self, request: Any) -> bool:
        """Whether it may do anything at all; asked by the provider at every step."""
        return self.status != ApplicationStatus.SUSPENDED

    def get_allowed_schemes(self) -> list[str]:
        """Where a browser may be sent: https, and http to this machine for native applications (RFC 8252)."""
        return ["https", "http"]


class Consent(models.Model):
    """A person has allowed an application these scopes, and is not asked again for them."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="consents")
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="consents")
    scopes = models.TextField()
    given_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["user", "application"], name="consent_once")]

    def __str__(self) -> str:
        return f"{self.application_id} for {self.user_id}"
