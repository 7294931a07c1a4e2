"""The desk: the cast, with those who moderate elsewhere or as staff, and the state that actions change.

``mona`` moderates another room, ``maude`` is staff with the permissions of a moderator and more, ``stan`` is
staff without any. Each rule is asked of everybody (``answers``).
"""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connections, transaction
from django.db.models import F

from accounts.models import User
from chat import access
from chat.actions import members, rooms
from chat.actions.posting import post_message
from chat.models import (
    AutomodRule,
    HeldMessage,
    Membership,
    Message,
    ModerationAction,
    Notice,
    Report,
    Room,
    Sanction,
)
from chatproject.database import ClockTimestamp
from chatproject.errors import AppError
from tests.cast import Cast, cast, person

EVERYBODY = ("bob", "carol", "alice", "mona", "olga", "maude", "stan", "gil", "dave")
PERMISSIONS = (
    access.MODERATE,
    access.SANCTION,
    access.MANAGE,
    access.ASSIGN_ROLES,
    access.HANDLE_REPORTS,
    access.AUTOMOD,
    access.AUDIT,
    access.CHANGE_PEOPLE,
    access.GRANT,
)


@dataclass
class Desk(Cast):
    """A cast and its staff; ``elsewhere`` is a public room of olga's that mona moderates."""

    mona: User
    maude: User
    stan: User
    elsewhere: Room


def desk(**options: Any) -> Desk:
    people = cast(**options)
    mona = person("mona")
    elsewhere = rooms.create_room(people.olga, name="Elsewhere", slug=f"t-{uuid.uuid4().hex}")
    members.add_member(people.olga, elsewhere.pk, display_name=mona.display_name)
    members.change_role(people.olga, elsewhere.pk, mona.pk, role="moderator")
    return Desk(
        **vars(people),
        mona=mona,
        maude=staff("maude", *PERMISSIONS),
        stan=staff("stan"),
        elsewhere=elsewhere,
    )


def staff(name: str, *permissions: str, superuser: bool = False) -> User:
    """Someone on the staff who holds just these permissions."""
    user = person(name)
    user.is_staff, user.is_superuser = True, superuser
    user.save(update_fields=["is_staff", "is_superuser"])
    user.user_permissions.set([permission_named(each) for each in permissions])
    return user


def permission_named(name: str) -> Permission:
    app, _, codename = name.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def post(user: User, room: Room, body: str = "hello", client_id: uuid.UUID | None = None) -> Any:
    return post_message(user, room.pk, client_id=client_id or uuid.uuid4(), body=body)


def fresh(user: User) -> User:
    """``user`` as the next request has them: permissions are kept by the object."""
    return User.objects.get(pk=user.pk)


class Undone(Exception):
    """Takes back what an answer has changed."""


def answer(act: Callable[[User], object], user: User) -> str:
    """``ok`` or the code of the refusal. Nothing is left of it."""
    try:
        with transaction.atomic():
            act(user)
            raise Undone
    except Undone:
        return "ok"
    except AppError as refusal:
        return str(refusal.code)


def answers(people: Desk, act: Callable[[User], object]) -> dict[str, str]:
    """What each of everybody is told, each as if the others had not asked."""
    return {name: answer(act, getattr(people, name)) for name in EVERYBODY}


def told(**names: str) -> dict[str, str]:
    """``told(ok="alice olga", forbidden="bob")``; everybody must be named once."""
    found = {name: code for code, listed in names.items() for name in listed.split()}
    assert sorted(found) == sorted(EVERYBODY), set(EVERYBODY) ^ set(found)
    return found


def refused(act: Callable[..., object], *args: Any, **kwargs: Any) -> AppError:
    with pytest.raises(AppError) as refusal:
        act(*args, **kwargs)
    return refusal.value


def code_of(act: Callable[..., object], *args: Any, **kwargs: Any) -> str:
    return str(refused(act, *args, **kwargs).code)


def last_action(**filters: Any) -> ModerationAction:
    return ModerationAction.objects.filter(**filters).latest("id")


def notices_of(user: User) -> list[dict[str, Any]]:
    found = Notice.objects.filter(user=user).order_by("id")
    return [{"kind": notice.kind, **notice.data} for notice in found]


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Runs ``acts`` on threads that begin together; ``ok`` or the code of each."""
    begin = threading.Barrier(len(acts))
    ends: dict[int, str] = {}

    def run(number: int) -> None:
        try:
            begin.wait(timeout=30)
            acts[number]()
            ends[number] = "ok"
        except AppError as refusal:
            ends[number] = str(refusal.code)
        except Exception as error:
            ends[number] = repr(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [ends[number] for number in range(len(acts))]


def end_by_itself(user: User) -> None:
    """Time passes: every sanction that binds ``user`` is over."""
    Sanction.objects.filter(user=user, lifted_at=None).update(
        created_at=F("created_at") - timedelta(hours=1), ends_at=ClockTimestamp() - timedelta(seconds=1)
    )
    User.objects.filter(pk=user.pk, banned_until__isnull=False).update(
        banned_until=ClockTimestamp() - timedelta(seconds=1)
    )


def state_of(people: Desk) -> dict[str, Any]:
    """Everything that actions change, of these people and their two rooms."""
    users = [user.pk for user in vars(people).values() if isinstance(user, User)]
    places = [people.room.pk, people.elsewhere.pk]
    messages = Message.objects.filter(room__in=places)
    accounts = User.objects.filter(pk__in=users).order_by("pk")
    return {
        "rooms": list(Room.objects.filter(pk__in=places).order_by("pk").values(*_SETTINGS)),
        "seats": set(Membership.objects.filter(room__in=places).values_list(*_SEAT)),
        "shown": dict(messages.filter(deleted_at__isnull=True).values_list("pk", "body")),
        # A message that was held keeps its place when its approval is taken back.
        "removed": {
            (message.pk, message.deleted_by_id == message.author_id)
            for message in messages.filter(deleted_at__isnull=False, held=None)
        },
        "sanctions": set(Sanction.objects.in_force().filter(user__in=users).values_list("pk", flat=True)),
        "accounts": list(accounts.values(*_ACCOUNT)),
        "groups": set(accounts.values_list("pk", "groups__name")),
        "permissions": set(accounts.values_list("pk", "user_permissions__codename")),
        "reports": set(Report.objects.filter(subject__in=users).values_list(*_REPORT)),
        "held": set(HeldMessage.objects.filter(room__in=places).values_list("pk", "state")),
        "rules": [
            {**rule, "removed_at": rule["removed_at"] is not None}
            for rule in AutomodRule.objects.filter(room__in=places, removed_at=None).values(*_RULE)
        ],
    }


_SETTINGS = (
    "name",
    "topic",
    "kind",
    "guest_policy",
    "slow_mode_seconds",
    "hide_after_reports",
    "archived_at",
)
_SEAT = ("room_id", "user_id", "role", "read_seq", "joined_at")
_ACCOUNT = ("is_active", "is_staff", "is_superuser", "banned_until", "ban_reason")
_REPORT = ("pk", "state", "assignee", "outcome")
_RULE = ("pk", "name", "kind", "action", "words", "pattern", "threshold", "seconds", "live", "removed_at")
