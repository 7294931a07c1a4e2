"""People, sessions and rooms for a run, straight through the models: hashing passwords is not measured."""

import secrets

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from accounts.models import User
from accounts.names import skeleton
from chat.actions.rooms import create_room

SOCKETS_A_PERSON = 32


def people(count: int) -> list[User]:
    """Accounts that can sign in by session only."""
    users = []
    for _ in range(count):
        name = f"bench-{secrets.token_hex(5)}"
        user = User(
            username=name, email=f"{name}@example.org", display_name=name, name_skeleton=skeleton(name)
        )
        user.set_unusable_password()
        users.append(user)
    return User.objects.bulk_create(users)


def sessions(users: list[User]) -> list[str]:
    """A session key for each."""
    keys = []
    for user in users:
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        assert session.session_key
        keys.append(session.session_key)
    return keys


def rooms(owner: User, count: int) -> list[int]:
    """Public rooms."""
    slugs = [f"bench-{secrets.token_hex(6)}" for _ in range(count)]
    return [create_room(owner, name="Bench", kind="public", slug=slug).pk for slug in slugs]
