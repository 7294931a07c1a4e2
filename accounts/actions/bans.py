"""Keeping someone out of the whole site for a time, and letting them in again."""

from datetime import datetime

from django.db import transaction

from accounts.actions.revocation import announce_revoked
from accounts.models import FOREVER, User


@transaction.atomic
def ban_person(user: User, *, until: datetime | None, reason: str) -> None:
    """Refuses all credentials of ``user`` ``until`` then, or for ever; ``reason`` is shown to them.

    Nothing they hold is ended: it works again when the ban is over. Live connections end at once.
    """
    User.objects.filter(pk=user.pk).update(banned_until=until or FOREVER, ban_reason=reason)
    announce_revoked(user.pk)


def lift_ban(user: User) -> None:
    """Lets ``user`` in again, with what they held before."""
    User.objects.filter(pk=user.pk).update(banned_until=None, ban_reason="")
