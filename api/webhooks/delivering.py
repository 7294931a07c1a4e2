"""One webhook's way along the log: event after event, and what happens when a server does not answer."""

import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin

import httpx
import msgspec
from django.db import transaction
from standardwebhooks.webhooks import Webhook as Signer

from accounts.models import admitted
from api.models import Webhook, WebhookDelivery
from api.webhooks import jobs
from api.webhooks.guard import Blocked, resolve
from chat import access, log
from chat.payloads import encode, instant
from chatproject.database import clock
from chatproject.errors import AppError

# After the last of these, about a day later, the webhook is paused.
RETRY_SECONDS = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 28_800)
TIMEOUT_SECONDS = 10.0
MAX_REDIRECTS = 3
MAX_ANSWER_BYTES = 64 * 1024
MAX_ANSWER_CHARS = 2000
KEPT_DELIVERIES = 500
PAGE = 100
_KEEPS_METHOD = {307, 308}


def deliver(webhook_id: int) -> None:
    """Sends what the webhook has not had, in order, and has itself called again where that is not all.

    One call at a time for each webhook. An event counts as sent when it was answered with 2xx; until then
    nothing after it goes out.
    """
    webhook = Webhook.objects.select_related("owner", "application").filter(pk=webhook_id).first()
    if webhook is None or webhook.paused_at is not None:
        return
    if webhook.next_try_at is not None and webhook.next_try_at > clock():
        return  # a call for then is waiting
    if not _may_go_on(webhook):
        _pause(webhook)
        return
    for event in log.read_after(webhook.room_id, webhook.seq, PAGE):
        wanted = not webhook.kinds or event.kind in webhook.kinds
        if wanted and not _send(webhook, event):
            _put_off(webhook)
            return
        webhook.seq, webhook.failures, webhook.next_try_at = event.seq, 0, None
        webhook.save(update_fields=["seq", "failures", "next_try_at"])
    if log.read_after(webhook.room_id, webhook.seq, 1):
        jobs.wake(webhook.pk)


def call(webhook: Webhook, event: str, kind: str, data: Any, *, attempt: int = 1) -> WebhookDelivery:
    """Sends one body and keeps what came back."""
    body = encode({"type": kind, "timestamp": instant(clock()), "data": data}).decode()
    return _call(
        webhook, WebhookDelivery(webhook=webhook, event=event, kind=kind, attempt=attempt, body=body)
    )


def call_again(webhook: Webhook, earlier: WebhookDelivery) -> WebhookDelivery:
    """The same body with the same id."""
    again = WebhookDelivery(
        webhook=webhook,
        event=earlier.event,
        kind=earlier.kind,
        attempt=earlier.attempt + 1,
        body=earlier.body,
    )
    return _call(webhook, again)


def _send(webhook: Webhook, event: log.LoggedEvent) -> bool:
    cursor = f"{webhook.epoch}.{webhook.room_id}.{event.seq}"
    data = msgspec.to_builtins(event.payload)
    delivery = call(webhook, cursor, event.kind, data, attempt=webhook.failures + 1)
    return delivery.status is not None and 200 <= delivery.status < 300


def _call(webhook: Webhook, delivery: WebhookDelivery) -> WebhookDelivery:
    began = time.monotonic()
    try:
        delivery.status, delivery.answer = _post(webhook, delivery)
    except Blocked as refusal:
        delivery.error = str(refusal)
    except httpx.HTTPError as error:
        delivery.error = type(error).__name__
    delivery.milliseconds = round((time.monotonic() - began) * 1000)
    delivery.save(force_insert=True)
    old = WebhookDelivery.objects.filter(webhook=webhook).order_by("-pk").values("pk")[KEPT_DELIVERIES:]
    WebhookDelivery.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    return delivery


def _post(webhook: Webhook, delivery: WebhookDelivery) -> tuple[int, str]:
    url = webhook.url
    headers = _signed(webhook, delivery)
    for _ in range(MAX_REDIRECTS + 1):
        to = resolve(url)
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream(
                "POST",
                to.url,
                content=delivery.body.encode(),
                headers={**headers, "Host": to.host},
                extensions={"sni_hostname": to.server_name},
            ) as response,
        ):
            answer = _beginning(response)
            if response.status_code not in _KEEPS_METHOD or "location" not in response.headers:
                return response.status_code, answer
            url = urljoin(url, response.headers["location"])
    raise Blocked("Too many redirects.")


def _beginning(response: httpx.Response) -> str:
    found = b""
    for chunk in response.iter_bytes():
        found += chunk
        if len(found) > MAX_ANSWER_BYTES:
            break
    return found[:MAX_ANSWER_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")[:MAX_ANSWER_CHARS]


def _signed(webhook: Webhook, delivery: WebhookDelivery) -> dict[str, str]:
    """Headers of Standard Webhooks, with the signatures of all secrets that hold."""
    at = clock()
    secrets = [webhook.secret]
    if webhook.previous_until is not None and webhook.previous_until > at:
        secrets.append(webhook.previous_secret)
    signatures = [Signer(secret).sign(delivery.event, at, delivery.body) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "chat-webhooks/1",
        "webhook-id": delivery.event,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _may_go_on(webhook: Webhook) -> bool:
    """It sees what its owner may see, through an application that is not suspended."""
    application = webhook.application
    if application is not None and not application.is_usable(None):
        return False
    owner = type(webhook.owner).objects.filter(admitted(), pk=webhook.owner_id).first()
    try:
        return owner is not None and bool(access.room_for(owner, webhook.room_id))
    except AppError:
        return False


def _put_off(webhook: Webhook) -> None:
    webhook.failures += 1
    if webhook.failures > len(RETRY_SECONDS):
        _pause(webhook)
        return
    wait = RETRY_SECONDS[webhook.failures - 1]
    webhook.next_try_at = clock() + timedelta(seconds=wait)
    with transaction.atomic():
        webhook.save(update_fields=["failures", "next_try_at"])
        jobs.wake(webhook.pk, seconds=wait + 1)


def _pause(webhook: Webhook) -> None:
    now: datetime = clock()
    webhook.paused_at = now
    webhook.save(update_fields=["failures", "paused_at"])
