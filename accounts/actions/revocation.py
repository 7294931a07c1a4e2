"""Ending credentials: one of them, or all that a person holds.

Whoever keeps live connections listens to ``credentials_revoked``; what is lost on the way is found by
``credentials.ended``.
"""

from collections.abc import Sequence

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts.credentials import JWT, SESSION, Credential, credentials_revoked
from accounts.models import RealtimeTicket, TokenFamily, User


def announce_revoked(user_id: int, *, credential: Credential | None = None) -> None:
    """Sends ``credentials_revoked`` after the commit; without a credential all of the person's ended."""

    def send() -> None:
        credentials_revoked.send_robust(sender=User, user_id=user_id, credential=credential)

    transaction.on_commit(send)


@transaction.atomic
def end_credential(credential: Credential) -> None:
    """Ends one session or token family. Ending it twice is nothing."""
    if credential.kind == SESSION:
        Session.objects.filter(session_key=credential.key).delete()
    elif credential.kind == JWT:
        TokenFamily.objects.filter(pk=credential.key, revoked_at__isnull=True).update(revoked_at=Now())
    RealtimeTicket.objects.filter(credential_kind=credential.kind, credential_key=credential.key).delete()
    announce_revoked(credential.user_id, credential=credential)


@transaction.atomic
def end_all_credentials(user: User) -> None:
    """Log-out everywhere."""
    raise_epoch(User.objects.select_for_update(no_key=True).get(pk=user.pk))
    user.refresh_from_db(fields=["epoch"])


@transaction.atomic
def deactivate(user: User) -> None:
    """The person may not come in any more, until ``reactivate``."""
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    locked.is_active = False
    raise_epoch(locked, update_fields=["is_active"])
    user.refresh_from_db(fields=["is_active", "epoch"])


def reactivate(user: User) -> None:
    """The person may sign in again. What they held before stays ended."""
    user.is_active = True
    user.save(update_fields=["is_active"])


def raise_epoch(user: User, *, update_fields: Sequence[str] = ()) -> None:
    """Saves ``user``, whose row the caller has locked, with the next epoch: all credentials end."""
    user.epoch += 1
    user.save(update_fields=[*update_fields, "epoch"])
    # The toolkit's tokens know no epoch.
    get_grant_model().objects.filter(user=user).delete()
    get_refresh_token_model().objects.filter(user=user).delete()
    get_access_token_model().objects.filter(user=user).delete()
    announce_revoked(user.pk)


def prune_credentials() -> int:
    """Deletes what has run out: tickets, token families, sessions. Returns how many rows."""
    gone = [
        RealtimeTicket.objects.filter(expires_at__lt=Now()).delete(),
        TokenFamily.objects.filter(expires_at__lt=Now()).delete(),
        TokenFamily.objects.filter(epoch__lt=F("user__epoch")).delete(),
        Session.objects.filter(expire_date__lt=Now()).delete(),
    ]
    return sum(count for count, _ in gone)
