"""Guests: people who gave a name and nothing else."""

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.actions.naming import unique_or_conflict
from accounts.actions.revocation import announce_revoked
from accounts.models import User
from accounts.names import clean_display_name, skeleton

EXPIRE_AT_ONCE = 500


def create_guest(display_name: str) -> User:
    """A new guest. Raises AppError INVALID for a bad name, CONFLICT with a free one for a taken name."""
    name = clean_display_name(display_name)
    guest = User(display_name=name, name_skeleton=skeleton(name), is_guest=True)
    guest.set_unusable_password()
    with unique_or_conflict(name):
        guest.save(force_insert=True)
    return guest


def expire_guests() -> int:
    """Ends the credentials of guests who were away for GUEST_IDLE and frees their names; the row stays.

    Returns how many. Works in batches, each its own transaction, safe to run on several nodes at once.
    """
    total = 0
    while expired := _expire_batch():
        total += expired
    return total


@transaction.atomic
def _expire_batch() -> int:
    idle = User.objects.filter(
        is_guest=True, name_released_at__isnull=True, last_seen_at__lt=Now() - settings.GUEST_IDLE
    )
    ids = list(
        idle.select_for_update(skip_locked=True, no_key=True)
        .order_by("last_seen_at")
        .values_list("pk", flat=True)[:EXPIRE_AT_ONCE]
    )
    User.objects.filter(pk__in=ids).update(name_released_at=Now(), epoch=F("epoch") + 1)
    for user_id in ids:
        announce_revoked(user_id)
    return len(ids)
