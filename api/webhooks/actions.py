"""Making webhooks, changing them, and calling them."""

import base64
import secrets
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from api.models import Webhook, WebhookDelivery
from api.webhooks import delivering, guard, jobs
from chat import access, log
from chat.actions.rooms import set_watched
from chat.models import Kind
from chatproject.database import clock
from chatproject.errors import AppError, Code

MAX_WEBHOOKS = 20
ROTATION = timedelta(days=1)


def create_webhook(
    owner: User,
    *,
    room_id: int,
    url: str,
    kinds: Sequence[str] = (),
    application_id: int | None = None,
    client_id: uuid.UUID | None = None,
) -> tuple[Webhook, bool]:
    """A webhook that begins with the next event of the room, and whether an earlier call made it.

    Not for guests, of whom anybody makes as many as they like. Raises AppError NOT_FOUND, FORBIDDEN, INVALID,
    CONFLICT.
    """
    _check(url, kinds)
    access.room_for(owner, room_id)
    if owner.is_guest:
        raise AppError(Code.FORBIDDEN, "Webhooks are for accounts.")
    if Webhook.objects.filter(owner=owner).count() >= MAX_WEBHOOKS:
        raise AppError(Code.CONFLICT, f"You have {MAX_WEBHOOKS} webhooks. Remove one first.")
    client_id = client_id or uuid.uuid4()
    try:
        with transaction.atomic():
            # Under the room's lock: what is committed later is seen, what came before is not.
            room = log.lock_room(room_id)
            webhook = Webhook.objects.create(
                owner=owner,
                application_id=application_id,
                room=room,
                client_id=client_id,
                url=url,
                kinds=list(kinds),
                secret=_new_secret(),
                epoch=log.heads([]).epoch,
                seq=room.last_seq,
            )
            set_watched(room, watched=True)
    except IntegrityError:
        return Webhook.objects.get(owner=owner, client_id=client_id), True
    return webhook, False


def own_webhook(owner: User, webhook_id: int) -> Webhook:
    """A webhook of ``owner``. Raises AppError NOT_FOUND."""
    webhook = Webhook.objects.filter(pk=webhook_id, owner=owner).first()
    if webhook is None:
        raise AppError(Code.NOT_FOUND)
    return webhook


def change_webhook(
    owner: User,
    webhook_id: int,
    *,
    url: str | None = None,
    kinds: Sequence[str] | None = None,
    paused: bool | None = None,
) -> Webhook:
    """Another address, other kinds, paused or going on; it goes on where it stopped."""
    webhook = own_webhook(owner, webhook_id)
    webhook.url = webhook.url if url is None else url
    webhook.kinds = webhook.kinds if kinds is None else list(kinds)
    _check(webhook.url, webhook.kinds)
    if paused is not None:
        webhook.paused_at = (webhook.paused_at or clock()) if paused else None
    if paused is False or url is not None:
        webhook.failures, webhook.next_try_at = 0, None
    fields = ["url", "kinds", "paused_at", "failures", "next_try_at"]
    with transaction.atomic():
        webhook.save(update_fields=fields)
        if webhook.paused_at is None:
            jobs.wake(webhook.pk)
    return webhook


def rotate_secret(owner: User, webhook_id: int) -> Webhook:
    """A new secret. For a day the old one signs as well, so that nothing is lost on the way."""
    webhook = own_webhook(owner, webhook_id)
    webhook.previous_secret, webhook.previous_until = webhook.secret, clock() + ROTATION
    webhook.secret = _new_secret()
    webhook.save(update_fields=["secret", "previous_secret", "previous_until"])
    return webhook


def remove_webhook(owner: User, webhook_id: int) -> None:
    """Nothing more is sent, and its deliveries are forgotten."""
    webhook = own_webhook(owner, webhook_id)
    with transaction.atomic():
        room = log.lock_room(webhook.room_id)
        webhook.delete()
        set_watched(room, watched=Webhook.objects.filter(room=room).exists())


def send_test(owner: User, webhook_id: int) -> WebhookDelivery:
    """Sends ``webhook.test`` now, out of order; what came back."""
    webhook = own_webhook(owner, webhook_id)
    data = {"webhook": webhook.pk, "room": webhook.room_id}
    return delivering.call(webhook, f"test.{uuid.uuid4().hex}", "webhook.test", data)


def redeliver(owner: User, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    """Sends the same body with the same id again, now; what came back."""
    webhook = own_webhook(owner, webhook_id)
    earlier = WebhookDelivery.objects.filter(pk=delivery_id, webhook=webhook).first()
    if earlier is None:
        raise AppError(Code.NOT_FOUND)
    return delivering.call_again(webhook, earlier)


def _check(url: Any, kinds: Sequence[str]) -> None:
    guard.check_url(url)
    if set(kinds) - set(Kind.values):
        raise AppError(Code.INVALID, fields={"kinds": ["There are no such events."]})


def _new_secret() -> str:
    """24 to 64 bytes, as Standard Webhooks has it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
