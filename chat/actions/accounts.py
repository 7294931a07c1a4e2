"""Switching accounts off and on again, by staff."""

from typing import Any

from django.db import transaction

from accounts.actions.revocation import deactivate, reactivate
from accounts.models import User
from chat import access, audit
from chat.actions.changing import check_unchanged, checked
from chat.actions.rights import check_administrator_remains, check_stands_above, is_administrator
from chat.audit import Deed, Why
from chat.models import ModerationAction
from chat.standing import staff_may
from chatproject.errors import AppError, Code

SWITCHED = "account.switched"


def switch_account(actor: User, user_id: int, *, active: bool, why: Why | None = None) -> None:
    """Deactivates an account (signed out everywhere, may not sign in) or lets it sign in again."""
    reason = checked(why)
    with transaction.atomic():
        user = _locked(actor, user_id)
        if user.is_active == active:
            raise AppError(Code.CONFLICT, "It is so already.")
        before = {"is_active": user.is_active}
        _put(user, active=active)
        deed = Deed(
            SWITCHED, f"person:{user.pk}", subject_id=user.pk, before=before, after={"is_active": active}
        )
        audit.record(actor, deed, reason)


def put_account(
    actor: User, action: ModerationAction, wanted: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Switches back; see ``chat.actions.changing``. Sign-ins that were ended stay ended."""
    assert action.subject_id is not None  # noqa: S101
    user = _locked(actor, action.subject_id)
    check_unchanged(user.is_active, expected["is_active"])
    _put(user, active=wanted["is_active"])


def _locked(actor: User, user_id: int) -> User:
    if not staff_may(actor, access.CHANGE_PEOPLE):
        raise AppError(Code.FORBIDDEN)
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise AppError(Code.NOT_FOUND)
    check_stands_above(actor, user)
    if user.is_staff and not staff_may(actor, access.GRANT):
        # It would take their rights from them, which is not the right to look after accounts.
        raise AppError(Code.FORBIDDEN, "Only those who give the rights of staff switch staff off.")
    return user


def _put(user: User, *, active: bool) -> None:
    if active:
        reactivate(user)
    else:
        deactivate(user)
        if is_administrator(user):
            check_administrator_remains()
