"""That someone has seen what they were told."""

from accounts.models import User
from chat.models import Notice
from chatproject.database import ClockTimestamp


def mark_notices_seen(user: User, *, up_to: int) -> int:
    """Marks the notices of ``user`` up to that id; how many were new."""
    unseen = Notice.objects.filter(user=user, pk__lte=up_to, seen_at__isnull=True)
    return unseen.update(seen_at=ClockTimestamp())
