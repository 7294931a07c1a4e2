"""``Authorization: Bearer``, for REST and streams alike."""

from accounts import oauth, tokens
from accounts.credentials import Credential
from accounts.models import User
from chatproject.errors import AppError, Code

JWT_DOTS = 2


def bearer_credential(header: bytes) -> tuple[User, Credential] | None:
    """The person and credential behind an Authorization header; None where it is of another scheme.

    A JWT has two dots, a token of an application none. Raises AppError UNAUTHENTICATED, BANNED.
    """
    scheme, _, token = header.partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    try:
        text = token.strip().decode("ascii")
    except UnicodeDecodeError as error:
        raise AppError(Code.UNAUTHENTICATED) from error
    if text.count(".") == JWT_DOTS:
        return tokens.credential_of_access(text)
    return oauth.credential_of_application(text)
