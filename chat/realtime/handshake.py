"""What a handshake says before the first frame: where it comes from and who its cookie names."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from django.conf import settings

from accounts.credentials import Credential, redeem_ticket, session_credential
from accounts.models import User
from chat.realtime.protocol import SUBPROTOCOL
from chatproject.errors import AppError, Code


def subprotocol(scope: Mapping[str, Any]) -> str | None:
    """Ours, if the client offers it."""
    return SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", []) else None


def origin_is_allowed(scope: Mapping[str, Any]) -> bool:
    """Whether the Origin is exactly (scheme, host, port) one of ours. A missing or doubled one is not.

    Channels' own validator ignores scheme and port and raises on malformed origins.
    """
    origins = [value for name, value in scope["headers"] if name == b"origin"]
    return len(origins) == 1 and origins[0].decode("latin-1") in settings.ALLOWED_ORIGINS


def session_key(scope: Mapping[str, Any]) -> str | None:
    """The session cookie, which counts only with an allowed Origin."""
    return cookie_of(scope) if origin_is_allowed(scope) else None


def cookie_of(scope: Mapping[str, Any]) -> str | None:
    """The session cookie, wherever the request comes from."""
    cookies: SimpleCookie = SimpleCookie()
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                cookies.load(value.decode("latin-1"))
            except CookieError:
                return None
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else None


def authenticate(scope: Mapping[str, Any], ticket: str | None) -> tuple[User | None, Credential | None]:
    """Who speaks: by ticket, else by cookie; nobody with an allowed Origin alone. Two statements.

    Raises AppError UNAUTHENTICATED for a used or expired ticket, and for a foreign Origin without one.
    """
    if ticket is not None:
        return redeem_ticket(ticket)
    if not origin_is_allowed(scope):
        raise AppError(Code.UNAUTHENTICATED)
    return session_credential(session_key(scope)) or (None, None)
