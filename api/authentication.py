"""Who asks: by a bearer token, or by the session cookie of our pages. ``request.auth`` is a Credential."""

from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.request import Request

from accounts.bearer import bearer_credential
from accounts.credentials import Credential
from accounts.models import User
from accounts.sessions import request_credential
from chatproject.errors import AppError, Code


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer`` with an access token. Raises AppError UNAUTHENTICATED, BANNED."""

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        return bearer_credential(get_authorization_header(request))

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class CookieAuthentication(SessionAuthentication):
    """The session cookie, with CSRF enforced: a foreign page can send the cookie, not the token."""

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        credential = request_credential(request._request)
        if credential is None or super().authenticate(request) is None:
            return None
        return signed_in(request._request.user), credential


def person(request: Request) -> User | None:
    """Who asks, None for a visitor without a name."""
    return request.user if isinstance(request.user, User) else None


def signed_in(user: object) -> User:
    """``user`` where there must be one. Raises AppError UNAUTHENTICATED."""
    # request.user of Django is a lazy object, which isinstance sees through.
    if not isinstance(user, User):
        raise AppError(Code.UNAUTHENTICATED)
    return user
