"""What someone who is banned from the whole site is told, wherever they show a credential."""

from datetime import datetime

from django.utils.translation import gettext

from accounts.models import FOREVER, User
from chatproject.database import ClockTimestamp
from chatproject.errors import AppError, Code


def refusal_of(user_id: int) -> AppError:
    """Why a credential of this person is refused now: BANNED with its words, else UNAUTHENTICATED."""
    banned = User.objects.filter(pk=user_id, is_active=True, banned_until__gt=ClockTimestamp())
    user = banned.only("banned_until", "ban_reason").first()
    if user is None or user.banned_until is None:
        return AppError(Code.UNAUTHENTICATED)
    return ban_refusal(user.banned_until, user.ban_reason)


def check_not_banned(user: User) -> None:
    """Raises AppError BANNED with the reason and the end."""
    refusal = refusal_of(user.pk)
    if refusal.code is Code.BANNED:
        raise refusal


def ban_refusal(until: datetime, reason: str) -> AppError:
    """BANNED in words for the person: until when, and the reason that was given."""
    if until >= FOREVER:
        end = gettext("You are banned.")
    else:
        end = gettext("You are banned until %(until)s UTC.") % {"until": f"{until:%Y-%m-%d %H:%M}"}
    return AppError(Code.BANNED, f"{end} {reason}".strip())
