"""Webhooks over REST."""

from typing import Any, cast

import msgspec
from rest_framework import serializers
from rest_framework.response import Response

from accounts.credentials import Credential
from accounts.models import User
from api.authentication import signed_in
from api.door import Door, operation
from api.inputs import MAX_ID, MAX_PAGE, Flag, Input, Text, Uuid, Whole
from api.limiting import take
from api.models import Webhook, WebhookDelivery
from api.webhooks import actions
from chat.models import Kind
from chat.payloads import instant
from chatproject.limits import WEBHOOK_CALLS_PER_PERSON

SCOPE = "webhooks:write"


class WebhookPayload(msgspec.Struct, frozen=True):
    """A webhook. ``secret`` is told once, when it is made or rotated; ``kinds`` empty stands for all.

    ``position`` is the cursor of the last event that was sent, ``failures`` how often the next one failed.
    """

    id: int
    room: int
    url: str
    kinds: list[str]
    position: str
    failures: int
    paused_at: str | None
    created_at: str
    secret: str | None = None


class WebhookList(msgspec.Struct, frozen=True):
    """The caller's webhooks, the oldest first."""

    results: list[WebhookPayload]


class DeliveryPayload(msgspec.Struct, frozen=True):
    """One try. ``status`` is null where there was no answer; ``error`` says why."""

    id: int
    event: str
    kind: str
    attempt: int
    at: str
    body: str
    status: int | None
    answer: str
    error: str
    milliseconds: int


class DeliveryPage(msgspec.Struct, frozen=True):
    """Tries, the newest first."""

    results: list[DeliveryPayload]
    next: int | None


class Kinds(serializers.ListField):
    """Event kinds; empty for all."""

    child = serializers.ChoiceField(Kind.choices)


class NewWebhook(Input):
    room = Whole(min_value=1)
    url = Text()
    kinds = Kinds(required=False, max_length=len(Kind.values))
    client_id = Uuid(required=False)


class WebhookChange(Input):
    """What is left out stays as it is. ``paused`` false goes on where it stopped."""

    url = Text(required=False)
    kinds = Kinds(required=False, max_length=len(Kind.values))
    paused = Flag(required=False)


class DeliveryQuery(Input):
    """``cursor`` is ``next`` of the page before."""

    cursor = serializers.IntegerField(required=False, min_value=0, max_value=MAX_ID)
    limit = serializers.IntegerField(default=50, min_value=1, max_value=MAX_PAGE)


class Webhooks(Door):
    """The caller's webhooks."""

    @operation("webhook_list", scope=SCOPE, answer=WebhookList)
    def get(self, _given: dict[str, Any]) -> WebhookList:
        """Those of the caller, made through whichever application."""
        found = Webhook.objects.filter(owner=signed_in(self.request.user)).order_by("pk")
        return WebhookList([webhook_payload(webhook) for webhook in found])

    @operation("webhook_create", scope=SCOPE, answer=WebhookPayload, statuses=(201, 200), body=NewWebhook)
    def post(self, given: dict[str, Any]) -> Response:
        """Has the events of a room sent to ``url``, from the next one on, with the secret to check them."""
        credential = self.request.auth
        application_id = credential.application_id if isinstance(credential, Credential) else None
        webhook, replayed = actions.create_webhook(
            signed_in(self.request.user),
            room_id=given.pop("room"),
            application_id=application_id,
            **given,
        )
        return Response(webhook_payload(webhook, with_secret=True), 200 if replayed else 201)


class OneWebhook(Door):
    """One webhook."""

    @operation("webhook_get", scope=SCOPE, answer=WebhookPayload)
    def get(self, _given: dict[str, Any], *, webhook_id: int) -> WebhookPayload:
        """Where it stands."""
        return webhook_payload(actions.own_webhook(signed_in(self.request.user), webhook_id))

    @operation("webhook_update", scope=SCOPE, answer=WebhookPayload, body=WebhookChange)
    def patch(self, given: dict[str, Any], *, webhook_id: int) -> WebhookPayload:
        """Changes it; what it has not sent yet goes out by the new rules."""
        return webhook_payload(actions.change_webhook(signed_in(self.request.user), webhook_id, **given))

    @operation("webhook_delete", scope=SCOPE, statuses=(204,))
    def delete(self, _given: dict[str, Any], *, webhook_id: int) -> None:
        """Nothing more is sent."""
        actions.remove_webhook(signed_in(self.request.user), webhook_id)


class Secret(Door):
    """The secret of a webhook."""

    @operation("webhook_rotate", scope=SCOPE, answer=WebhookPayload)
    def post(self, _given: dict[str, Any], *, webhook_id: int) -> WebhookPayload:
        """A new one. For a day the old one signs as well."""
        webhook = actions.rotate_secret(signed_in(self.request.user), webhook_id)
        return webhook_payload(webhook, with_secret=True)


class Calls(Door):
    """What calls the other server while the caller waits."""

    def counted(self) -> User:
        user = signed_in(self.request.user)
        take(self.request, WEBHOOK_CALLS_PER_PERSON, user.pk)
        return user


class Test(Calls):
    """A test event."""

    @operation("webhook_test", scope=SCOPE, answer=DeliveryPayload)
    def post(self, _given: dict[str, Any], *, webhook_id: int) -> DeliveryPayload:
        """Sends ``webhook.test`` now; what came back."""
        return delivery_payload(actions.send_test(self.counted(), webhook_id))


class Deliveries(Door):
    """The log of a webhook."""

    @operation("delivery_list", scope=SCOPE, answer=DeliveryPage, query=DeliveryQuery)
    def get(self, given: dict[str, Any], *, webhook_id: int) -> DeliveryPage:
        """The last 500 tries, the newest first."""
        webhook = actions.own_webhook(signed_in(self.request.user), webhook_id)
        found = WebhookDelivery.objects.filter(webhook=webhook).order_by("-pk")
        if "cursor" in given:
            found = found.filter(pk__lt=given["cursor"])
        limit = cast("int", given["limit"])
        rows = list(found[: limit + 1])
        page = rows[:limit]
        return DeliveryPage(list(map(delivery_payload, page)), page[-1].pk if len(rows) > limit else None)


class Redelivery(Calls):
    """Sending something again."""

    @operation("delivery_repeat", scope=SCOPE, answer=DeliveryPayload)
    def post(self, _given: dict[str, Any], *, webhook_id: int, delivery_id: int) -> DeliveryPayload:
        """The same body with the same id, now; what came back."""
        return delivery_payload(actions.redeliver(self.counted(), webhook_id, delivery_id))


def webhook_payload(webhook: Webhook, *, with_secret: bool = False) -> WebhookPayload:
    """``webhook`` for its owner."""
    return WebhookPayload(
        id=webhook.pk,
        room=webhook.room_id,
        url=webhook.url,
        kinds=webhook.kinds,
        position=f"{webhook.epoch}.{webhook.room_id}.{webhook.seq}",
        failures=webhook.failures,
        paused_at=instant(webhook.paused_at) if webhook.paused_at else None,
        created_at=instant(webhook.created_at),
        secret=webhook.secret if with_secret else None,
    )


def delivery_payload(delivery: WebhookDelivery) -> DeliveryPayload:
    """One try, for the owner of its webhook."""
    return DeliveryPayload(
        id=delivery.pk,
        event=delivery.event,
        kind=delivery.kind,
        attempt=delivery.attempt,
        at=instant(delivery.at),
        body=delivery.body,
        status=delivery.status,
        answer=delivery.answer,
        error=delivery.error,
        milliseconds=delivery.milliseconds,
    )
