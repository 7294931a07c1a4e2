"""Guests, tokens, oneself, and tickets for sockets."""

from typing import Any, cast

from rest_framework.permissions import IsAuthenticated

from accounts import tokens
from accounts.actions.guests import create_guest
from accounts.actions.profile import change_display_name
from accounts.actions.sign_in import password_sign_in
from accounts.credentials import TICKET_SECONDS, Credential, issue_ticket
from accounts.models import User
from api import inputs
from api.authentication import signed_in
from api.door import Door, operation
from api.limiting import take, take_by_address
from api.outputs import SignedIn, Ticket, Tokens
from chat.payloads import Person, person_payload
from chatproject.address import request_address
from chatproject.errors import AppError, Code
from chatproject.limits import (
    GUESTS_PER_ADDRESS,
    NAME_CHANGES_PER_PERSON,
    TICKETS_PER_PERSON,
    TOKENS_PER_ADDRESS,
)


class Arrival(Door):
    """Where one comes without a credential: an old one that is sent along neither helps nor hurts."""

    authentication_classes = ()
    permission_classes = ()


class Guests(Arrival):
    """People who give a name and nothing else."""

    @operation("guest_create", scope=None, answer=SignedIn, statuses=(201,), body=inputs.NewGuest)
    def post(self, given: dict[str, Any]) -> SignedIn:
        """Gives a name and gets tokens. A taken name is a conflict with a free one in ``fields``."""
        take_by_address(self.request, GUESTS_PER_ADDRESS)
        return _signed_in(create_guest(given["display_name"]))


class TokenView(Arrival):
    """Tokens for a password."""

    @operation("token_create", scope=None, answer=SignedIn, body=inputs.Password)
    def post(self, given: dict[str, Any]) -> SignedIn:
        """Signs in by username or e-mail address and password."""
        take_by_address(self.request, TOKENS_PER_ADDRESS)
        address = request_address(self.request._request)
        return _signed_in(password_sign_in(given["username"], password=given["password"], address=address))


class TokenRefresh(Arrival):
    """The next tokens."""

    @operation("token_refresh", scope=None, answer=Tokens, body=inputs.Refresh)
    def post(self, given: dict[str, Any]) -> Tokens:
        """Each refresh token works once; showing it again ends the sign-in."""
        take_by_address(self.request, TOKENS_PER_ADDRESS)
        pair = tokens.refresh_pair(given["refresh"])
        return Tokens(pair.access, pair.refresh, pair.expires_in)


class TokenRevoke(Arrival):
    """Signing out."""

    @operation("token_revoke", scope=None, statuses=(204,), body=inputs.Revocation)
    def post(self, given: dict[str, Any]) -> None:
        """Ends the sign-in that the token belongs to. A token that is none is no error (RFC 7009)."""
        take_by_address(self.request, TOKENS_PER_ADDRESS)
        tokens.revoke(given["token"])


class Me(Door):
    """Oneself."""

    permission_classes = (IsAuthenticated,)

    @operation("me_get", scope="profile:read", answer=Person)
    def get(self, _given: dict[str, Any]) -> Person:
        """Who the caller is."""
        return person_payload(signed_in(self.request.user))

    @operation("me_update", scope=None, answer=Person, body=inputs.ProfileChange)
    def patch(self, given: dict[str, Any]) -> Person:
        """Changes the display name."""
        user = signed_in(self.request.user)
        take(self.request, NAME_CHANGES_PER_PERSON, user.pk)
        return person_payload(change_display_name(user, display_name=given["display_name"]))


class OneUser(Door):
    """Somebody."""

    permission_classes = (IsAuthenticated,)

    @operation("user_get", scope="members:read", answer=Person)
    def get(self, _given: dict[str, Any], *, user_id: int) -> Person:
        """What everyone with a name may know of someone."""
        user = User.objects.filter(pk=user_id).first()
        if user is None:
            raise AppError(Code.NOT_FOUND)
        return person_payload(user)


class Tickets(Door):
    """Tickets for sockets."""

    @operation("ticket_create", scope="realtime", answer=Ticket, statuses=(201,))
    def post(self, _given: dict[str, Any]) -> Ticket:
        """A ticket for one socket. The socket ends with the credential of this request."""
        user = signed_in(self.request.user)
        take(self.request, TICKETS_PER_PERSON, user.pk)
        credential = cast("Credential", self.request.auth)
        return Ticket(issue_ticket(user, credential), TICKET_SECONDS)


def _signed_in(user: User) -> SignedIn:
    pair = tokens.issue_pair(user)
    return SignedIn(person_payload(user), pair.access, pair.refresh, pair.expires_in)
