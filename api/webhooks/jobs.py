"""The jobs of webhooks: enqueued in the transaction of the event, run by ``manage.py work``."""

from collections.abc import Sequence

from procrastinate.contrib.django import app

from api.models import Webhook
from chat.models import Room, RoomEvent


@app.task(name="webhooks.deliver", queue="webhooks")
def deliver_webhook(webhook_id: int) -> None:
    """Sends what there is."""
    from api.webhooks.delivering import deliver

    deliver(webhook_id)


def wake(webhook_id: int, *, seconds: int = 0) -> None:
    """Has the webhook looked after, now or later; never two at a time."""
    task = deliver_webhook.configure(lock=f"webhook:{webhook_id}", schedule_in={"seconds": seconds})
    task.defer(webhook_id=webhook_id)


def on_appended(room: Room, events: Sequence[RoomEvent]) -> None:
    """Called by the log, in the transaction of the events."""
    if room.is_watched:
        for webhook_id in Webhook.objects.filter(room=room, paused_at__isnull=True).values_list(
            "pk", flat=True
        ):
            wake(webhook_id)
