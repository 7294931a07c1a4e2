"""Who may sign in, and whom a session names."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from accounts.bans import refusal_of
from accounts.models import User, admitted
from chatproject.errors import Code


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's, by username or e-mail address, for people who are let in."""

    def get_user(self, user_id: Any) -> User | None:
        """The person of a session. Raises AppError BANNED: whoever asks is told why."""
        user = User.objects.filter(admitted(), pk=user_id).first()
        if user is None and (refusal := refusal_of(user_id)).code is Code.BANNED:
            raise refusal
        return user
