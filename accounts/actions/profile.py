"""What a person changes about themselves, and that they were here."""

from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from accounts.actions.naming import unique_or_conflict
from accounts.models import User
from accounts.names import clean_display_name, skeleton

SEEN_EVERY = timedelta(hours=1)


def change_display_name(user: User, *, display_name: str, may_be_reserved: bool = False) -> User:
    """A new name. Raises AppError INVALID for a bad name, CONFLICT with a free one for a taken name."""
    name = clean_display_name(display_name, may_be_reserved=may_be_reserved or user.is_staff)
    before = user.display_name, user.name_skeleton
    user.display_name, user.name_skeleton = name, skeleton(name)
    try:
        with unique_or_conflict(name):
            user.save(update_fields=["display_name", "name_skeleton"])
    except BaseException:
        user.display_name, user.name_skeleton = before
        raise
    return user


def touch(user: User) -> bool:
    """Notes that ``user`` was here, at most once an hour. Returns whether it was noted now."""
    if timezone.now() - user.last_seen_at < SEEN_EVERY:
        return False
    updated = User.objects.filter(pk=user.pk, last_seen_at__lt=Now() - SEEN_EVERY).update(last_seen_at=Now())
    return bool(updated)
