"""Taking actions back: one registry of everything that moderators do.

Each entry says how it is done, how it is taken back and what it says in the audit. An action is recorded with
the state before and after; taking it back puts the state before, if the one after still holds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import User
from chat import access, audit
from chat.actions import (
    accounts,
    holding,
    members,
    messages,
    reports,
    rights,
    rooms,
    rules,
    sanctions,
    sweeping,
)
from chat.actions.changing import checked
from chat.audit import Deed, Why
from chat.models import ModerationAction
from chat.standing import site_rank
from chatproject.database import clock
from chatproject.errors import AppError, Code

Put = Callable[[User, ModerationAction, dict[str, Any], dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Reversible:
    """One kind of action. ``put(actor, action, wanted, expected)`` changes the state back."""

    kind: str
    do: Callable[..., Any]
    put: Put
    words: str

    def undo(self, actor: User, action: ModerationAction) -> None:
        """Puts what was before ``action``. Raises AppError FORBIDDEN, NOT_FOUND, CONFLICT."""
        self.put(actor, action, action.before, action.after)

    def describe(self, action: ModerationAction) -> str:
        """What was done, in a few words."""
        return f"Took back: {self.words.lower()}" if action.undoes_id else self.words


REGISTRY: dict[str, Reversible] = {
    entry.kind: entry
    for entry in (
        Reversible(messages.DELETED, messages.delete_message, messages.put_message, "Removed a message"),
        Reversible(messages.RESTORED, messages.restore_message, messages.put_message, "Restored a message"),
        Reversible(holding.APPROVED, holding.approve_held, holding.put_held, "Let in a held message"),
        Reversible(holding.REJECTED, holding.reject_held, holding.put_held, "Kept out a held message"),
        Reversible(
            sanctions.IMPOSED, sanctions.sanction_person, sanctions.put_sanctions, "Imposed a sanction"
        ),
        Reversible(sanctions.LIFTED, sanctions.lift_sanction, sanctions.put_sanctions, "Lifted a sanction"),
        Reversible(
            sweeping.CLEANED_UP, sweeping.ban_and_clean_up, sweeping.put_clean_up, "Banned and cleaned up"
        ),
        Reversible(members.ROLE_CHANGED, members.change_role, members.put_role, "Changed a role in a room"),
        Reversible(rooms.UPDATED, rooms.update_room, rooms.put_room, "Changed a room"),
        Reversible(rooms.ARCHIVED, rooms.archive_room, rooms.put_archived, "Closed a room"),
        Reversible(rooms.REOPENED, rooms.reopen_room, rooms.put_archived, "Opened a room again"),
        Reversible(reports.ASSIGNED, reports.assign_report, reports.put_report, "Assigned a report"),
        Reversible(reports.DECIDED, reports.decide_report, reports.put_report, "Decided a report"),
        Reversible(rules.SAVED, rules.save_rule, rules.put_rule, "Changed an automod rule"),
        Reversible(accounts.SWITCHED, accounts.switch_account, accounts.put_account, "Changed an account"),
        Reversible(rights.CHANGED, rights.change_rights, rights.put_rights, "Changed someone's rights"),
    )
}
# What is recorded and changes nothing.
LOOKED = "room.looked_into"
EXPORTED = "audit.exported"
_OTHER_WORDS = {LOOKED: "Looked into a private room", EXPORTED: "Exported the audit"}
# Every kind that is recorded, in words.
KINDS = {kind: entry.words for kind, entry in REGISTRY.items()} | _OTHER_WORDS


def undo_action(actor: User, action_id: int, *, why: Why | None = None) -> ModerationAction:
    """Takes an action back, within UNDO_WINDOW; the entry of the audit that says so.

    Who takes it back needs the right to do it, and stands no lower than who did it. Raises AppError CONFLICT
    when it was taken back already, when the state has changed since, and when it is too long ago; NOT_FOUND
    for those who have nothing to moderate there.
    """
    reason = checked(why)
    with transaction.atomic():
        action = _locked(actor, action_id)
        entry = REGISTRY.get(action.kind)
        if entry is None:
            raise AppError(Code.CONFLICT, "There is nothing to take back.")
        if ModerationAction.objects.filter(undoes=action).exists():
            raise AppError(Code.CONFLICT, "This was taken back already.")
        if clock() - action.at > settings.UNDO_WINDOW:
            raise AppError(Code.CONFLICT, f"This is more than {settings.UNDO_WINDOW.days} days ago.")
        entry.undo(actor, action)
        deed = Deed(
            action.kind,
            action.target,
            room_id=action.room_id,
            subject_id=action.subject_id,
            before=action.after,
            after=action.before,
            undoes_id=action.pk,
        )
        return audit.record(actor, deed, reason)


def _locked(actor: User, action_id: int) -> ModerationAction:
    """The action, under a lock of its own: of two who take it back at once the second is told."""
    action = (
        ModerationAction.objects.select_for_update(no_key=True, of=("self",))
        .select_related("actor", "room")
        .filter(pk=action_id)
        .first()
    )
    if action is None:
        raise AppError(Code.NOT_FOUND)
    may_know = access.moderates_as_staff(actor)
    if action.room is None:
        own, theirs = site_rank(actor), site_rank(action.actor)
    else:
        standing = access.standing_in(action.room, actor)
        may_know = standing.may_moderate() or (may_know and access.reaches(standing))
        own, theirs = standing.rank(), access.standing_in(action.room, action.actor).rank()
    if not may_know:
        raise AppError(Code.NOT_FOUND)
    if theirs > own:
        raise AppError(Code.FORBIDDEN, "Someone above you has done this.")
    return action


def describe(action: ModerationAction) -> str:
    """What was done, in a few words, whatever its kind."""
    entry = REGISTRY.get(action.kind)
    return entry.describe(action) if entry else _OTHER_WORDS.get(action.kind, action.kind)
