"""Signing in by password, the same for the page and for tokens."""

import hashlib
import re

from django.contrib.auth import authenticate

from accounts.bans import check_not_banned
from accounts.models import User
from chatproject.errors import AppError, Code
from chatproject.limits import SIGN_IN_PER_ADDRESS, SIGN_IN_PER_NAME, check

MAX_TYPED_CHARS = 1024


def password_sign_in(name: str, *, password: str, address: str) -> User:
    """The person with this e-mail address or username. Raises AppError UNAUTHENTICATED, RATE_LIMITED, BANNED.

    Wrong name, wrong password and a deactivated account are one answer, after the same work.
    """
    check_sign_in_limits(name, address=address)
    fits = _is_plain(name) and _is_plain(password)
    user = authenticate(None, username=name.strip(), password=password) if fits else None
    if not isinstance(user, User):
        raise AppError(Code.UNAUTHENTICATED, "Name and password do not fit.")
    check_not_banned(user)
    return user


def check_sign_in_limits(name: str, *, address: str) -> None:
    """Takes one try. The address is asked first, so that one address cannot use up a person's tries."""
    check(SIGN_IN_PER_ADDRESS, address)
    check(SIGN_IN_PER_NAME, name_key(name))


def _is_plain(text: str) -> bool:
    """Whether the database and the hasher can read it: no NUL, no lone surrogate, no novel."""
    return len(text) <= MAX_TYPED_CHARS and not re.search("[\0\ud800-\udfff]", text)


def name_key(name: str) -> str:
    """The limiter's key of what someone typed as a name or an e-mail address."""
    return hashlib.sha256(name.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()
