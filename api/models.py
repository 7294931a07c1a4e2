"""Webhooks, and the log of their deliveries."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.models import Application
from chat.models import Room

MAX_URL_CHARS = 500


class Webhook(models.Model):
    """The events of one room, for one server. ``seq`` and ``epoch`` are how far it has come in the log.

    It sees what ``owner`` may see. While ``next_try_at`` is ahead the last try has failed; ``paused_at`` is
    set after a day of failures, or when the owner lost the room. A day long after a rotation both secrets
    sign.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    application = models.ForeignKey(Application, null=True, on_delete=models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+")
    client_id = models.UUIDField(default=uuid.uuid4)
    url = models.CharField(max_length=MAX_URL_CHARS)
    kinds = models.JSONField(default=list)
    secret = models.CharField(max_length=64)
    previous_secret = models.CharField(max_length=64, blank=True)
    previous_until = models.DateTimeField(null=True)
    epoch = models.CharField(max_length=32)
    seq = models.BigIntegerField()
    failures = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "client_id"], name="webhook_client_id")]

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    """One try: what was sent and what came back. ``event`` is the cursor that it was sent with."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event = models.CharField(max_length=80)
    kind = models.CharField(max_length=32)
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    body = models.TextField()
    status = models.PositiveIntegerField(null=True)
    answer = models.TextField(blank=True)
    error = models.CharField(max_length=200, blank=True)
    milliseconds = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        indexes = [models.Index(fields=["webhook", "-id"], name="delivery_by_webhook")]

    def __str__(self) -> str:
        return self.event
