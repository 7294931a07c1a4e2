"""People, rooms and tickets of this project's server, made directly in its database.

Passwords are never hashed. Each person has one session; a ticket is for one socket and lives 30 seconds,
so tickets are made just before they are used.
"""

import hashlib
import os
import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from itertools import cycle
from typing import ParamSpec, TypeVar

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from accounts.credentials import SESSION, TICKET_SECONDS  # noqa: E402
from accounts.models import RealtimeTicket, User  # noqa: E402
from accounts.names import skeleton  # noqa: E402
from chat.models import GuestPolicy, Membership, Room  # noqa: E402

P = ParamSpec("P")
T = TypeVar("T")
PEOPLE = 256
_people: list[tuple[User, str]] = []


def _given_back(work: Callable[P, T]) -> Callable[P, T]:
    """``work`` on a thread that ends with its loop and would take its connection along."""

    @wraps(work)
    def on_a_thread(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        finally:
            connections.close_all()

    return on_a_thread


def prepare() -> None:
    """The schema, and the people."""
    call_command("migrate", interactive=False, verbosity=0)
    users = [
        User(
            username=f"person-{number}",
            email=f"person-{number}@example.org",
            display_name=f"person {number}",
            name_skeleton=skeleton(f"person {number}"),
        )
        for number in range(PEOPLE)
    ]
    for user in users:
        user.set_unusable_password()
    _people.extend((user, _session(user)) for user in User.objects.bulk_create(users))


@_given_back
def make_room() -> int:
    """A public room that everyone belongs to; its id."""
    name = f"room-{uuid.uuid4().hex}"
    room = Room.objects.create(slug=name, name=name, guest_policy=GuestPolicy.READ)
    Membership.objects.bulk_create(Membership(room=room, user=user) for user, _ in _people)
    return room.pk


@_given_back
def tickets(count: int) -> list[str]:
    """``count`` tickets, spread evenly over the people."""
    made = [secrets.token_urlsafe(16) for _ in range(count)]
    ends = datetime.now(UTC) + timedelta(seconds=TICKET_SECONDS)
    RealtimeTicket.objects.bulk_create(
        RealtimeTicket(
            digest=hashlib.sha256(ticket.encode()).digest(),
            user=user,
            credential_kind=SESSION,
            credential_key=session,
            epoch=user.epoch,
            expires_at=ends,
        )
        for ticket, (user, session) in zip(made, _turns(), strict=False)
    )
    return made


def people(count: int) -> list[User]:
    """The first ``count`` of the people."""
    return [user for user, _ in _people[:count]]


@cache
def _turns() -> "cycle[tuple[User, str]]":
    """One after the other, so that nobody comes to have more sockets than a person may."""
    return cycle(_people)


def _session(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "accounts.backends.Backend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    assert session.session_key
    return session.session_key
