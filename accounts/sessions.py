"""The door's side of sessions: in, out, and the credential a request came with."""

from django.contrib.auth import login, logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.actions.revocation import end_credential
from accounts.bans import check_not_banned
from accounts.credentials import SESSION, Credential
from accounts.models import User
from chatproject.errors import AppError

BACKEND = "accounts.backends.Backend"


def request_credential(request: HttpRequest) -> Credential | None:
    """The session that ``request`` is signed in by, or None."""
    user, key = request.user, request.session.session_key
    if not isinstance(user, User) or not key:
        return None
    return Credential(SESSION, key, user.pk, user.epoch)


def sign_in(request: HttpRequest, user: User) -> None:
    """Signs ``user`` in with a new session key. Whoever was signed in here before is signed out.

    Raises AppError BANNED.
    """
    check_not_banned(user)
    before = request_credential(request)
    login(request, user, backend=BACKEND)
    if before and before.key != request.session.session_key:
        end_credential(before)


def sign_out(request: HttpRequest) -> None:
    """Ends the session of ``request``, and with it what lives on it; that of someone banned too."""
    try:
        before = request_credential(request)
    except AppError:  # who it is cannot be asked, and nothing lives on it
        request.session.flush()
        request.user = AnonymousUser()
        return
    logout(request)
    if before:
        end_credential(before)
