"""Keeps people who come back signed in, and guests from running out while they are here."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.actions.profile import touch
from accounts.models import User


class LastSeen:
    """Notes at most once an hour that the person was here, and then renews session and cookie.

    Only where the view asked who it is: a request that did not costs nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user = getattr(request, "_cached_user", None)
        if isinstance(user, User) and request.session.session_key and touch(user):
            request.session.modified = True
        return response
