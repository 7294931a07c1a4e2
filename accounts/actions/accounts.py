"""Accounts: made at the sign-up, or out of a guest, who keeps what they wrote."""

import secrets
import unicodedata

from django.db import transaction

from accounts.actions.naming import unique_or_conflict
from accounts.actions.revocation import raise_epoch
from accounts.models import User
from accounts.names import clean_display_name, skeleton
from chatproject.errors import AppError, Code


def create_account(
    *,
    display_name: str,
    email: str | None,
    password: str,
    username: str | None = None,
    may_be_reserved: bool = False,
) -> User:
    """A new account. Raises AppError INVALID for a bad name, CONFLICT for a taken name or address."""
    name = clean_display_name(display_name, may_be_reserved=may_be_reserved)
    user = User(
        username=username.lower() if username else generated_username(name),
        email=email.lower() if email else None,
        display_name=name,
        name_skeleton=skeleton(name),
    )
    user.set_password(password)
    with unique_or_conflict(name):
        user.save(force_insert=True)
    return user


def upgrade_guest(guest: User, *, display_name: str, email: str, password: str) -> User:
    """Turns ``guest`` into an account: the same person, so their messages and rooms stay theirs.

    Whatever the guest held elsewhere ends. Raises AppError as ``create_account`` does, and FORBIDDEN
    where the guest is one no longer.
    """
    name = clean_display_name(display_name)
    with unique_or_conflict(name):
        user = User.objects.select_for_update(no_key=True).get(pk=guest.pk)
        if not (user.is_guest and user.is_active and user.name_released_at is None):
            raise AppError(Code.FORBIDDEN)
        user.is_guest = False
        user.username = generated_username(name)
        user.email = email.lower()
        user.display_name = name
        user.name_skeleton = skeleton(name)
        user.set_password(password)
        raise_epoch(
            user,
            update_fields=["is_guest", "username", "email", "display_name", "name_skeleton", "password"],
        )
    return user


@transaction.atomic
def set_password(user: User, *, password: str) -> None:
    """A new password; every credential of the person ends. ``user`` carries the new state afterwards."""
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    locked.set_password(password)
    raise_epoch(locked, update_fields=["password"])
    user.password = locked.password
    user.epoch = locked.epoch


def generated_username(display_name: str) -> str:
    """A name to sign in with that nobody has to choose: ``noor-x7k2mq``."""
    plain = unicodedata.normalize("NFKD", display_name).encode("ascii", "ignore").decode().lower()
    stem = "".join(char for char in plain if char.isalnum())[:20] or "user"
    return f"{stem}-{secrets.token_hex(4)}"
