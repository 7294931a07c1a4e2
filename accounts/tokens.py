"""First-party JWTs: a short access token and a refresh token that is used once.

All tokens of one sign-in are a family, one row. A refresh token shown a second time is a stolen one, or
its thief's: the family ends (RFC 9700, 4.14.2). HS256 with a key of its own: TOKEN_KEYS, else one made from
SECRET_KEY.
"""

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.encoding import force_bytes

from accounts.actions.profile import touch
from accounts.actions.revocation import end_credential
from accounts.bans import refusal_of
from accounts.credentials import JWT, Credential
from accounts.models import TokenFamily, User, admitted
from chatproject.errors import AppError, Code

ALGORITHM = "HS256"
PURPOSE = b"accounts.tokens.v1"
ACCESS_LIFE = timedelta(minutes=10)
REFRESH_IDLE = timedelta(days=30)
ACCESS = "access"
REFRESH = "refresh"
MAX_TOKEN_CHARS = 2048
# How far the clocks of two nodes may be apart.
LEEWAY = timedelta(seconds=5)
CLAIMS = ["iss", "aud", "typ", "sub", "family", "epoch", "jti", "iat", "exp"]


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An answer of the token doors; ``expires_in`` in seconds, of the access token."""

    access: str
    refresh: str
    expires_in: int


def issue_pair(user: User) -> TokenPair:
    """The first pair of a new family, for a person who has just signed in or given a name."""
    family = TokenFamily.objects.create(
        user=user, epoch=user.epoch, current_jti=uuid.uuid4(), expires_at=Now() + _idle(user)
    )
    return _pair(family, user)


def refresh_pair(refresh: str) -> TokenPair:
    """The next pair of a family. Raises AppError UNAUTHENTICATED, BANNED; a replay also ends the family.

    Concurrent calls with one token: the row lock lets one through.
    """
    claims = _decode(refresh, REFRESH)
    pair = _rotate(claims)
    if pair is None:
        # Outside the transaction that found it: the refusal must not undo the ending.
        end_credential(Credential(JWT, claims["family"], int(claims["sub"]), int(claims["epoch"])))
        raise AppError(Code.UNAUTHENTICATED)
    return pair


def revoke(token: str) -> None:
    """Ends the family of a refresh or access token, run out or not. Others are ignored (RFC 7009, 2.2)."""
    try:
        claims = _decode(token, ACCESS, REFRESH, may_have_expired=True)
    except AppError:
        return
    end_credential(Credential(JWT, claims["family"], int(claims["sub"]), int(claims["epoch"])))


def credential_of_access(token: str) -> tuple[User, Credential]:
    """The person and credential of an access token. One statement.

    Raises AppError UNAUTHENTICATED, BANNED.
    """
    claims = _decode(token, ACCESS)
    family = _living_families().filter(pk=claims["family"]).first()
    if family is None or not _belongs(family, claims):
        raise refusal_of(int(claims["sub"]))
    touch(family.user)
    return family.user, Credential(JWT, str(family.pk), family.user.pk, family.user.epoch)


@transaction.atomic
def _rotate(claims: dict[str, Any]) -> TokenPair | None:
    """None for a token that was used before."""
    locked = _living_families().select_for_update(of=("self",), no_key=True)
    family = locked.filter(pk=claims["family"]).first()
    if family is None or not _belongs(family, claims):
        raise refusal_of(int(claims["sub"]))
    if str(family.current_jti) != claims["jti"]:
        return None
    family.current_jti = uuid.uuid4()
    TokenFamily.objects.filter(pk=family.pk).update(
        current_jti=family.current_jti, expires_at=Now() + _idle(family.user)
    )
    touch(family.user)
    return _pair(family, family.user)


def _living_families() -> Any:
    alive = TokenFamily.objects.filter(admitted("user__"), revoked_at__isnull=True, expires_at__gt=Now())
    return alive.select_related("user")


def _belongs(family: TokenFamily, claims: dict[str, Any]) -> bool:
    """The token is this person's, and nothing has ended all they held since."""
    user = family.user
    return bool(str(user.pk) == claims["sub"] and user.epoch == family.epoch == claims["epoch"])


def _idle(user: User) -> timedelta:
    idle: timedelta = settings.GUEST_IDLE if user.is_guest else REFRESH_IDLE
    return idle


def _pair(family: TokenFamily, user: User) -> TokenPair:
    return TokenPair(
        access=_encode(family, user, typ=ACCESS, jti=uuid.uuid4(), life=ACCESS_LIFE),
        refresh=_encode(family, user, typ=REFRESH, jti=family.current_jti, life=_idle(user)),
        expires_in=int(ACCESS_LIFE.total_seconds()),
    )


def _encode(family: TokenFamily, user: User, *, typ: str, jti: uuid.UUID, life: timedelta) -> str:
    now = datetime.now(UTC)
    claims = {
        "iss": settings.SITE_URL,
        "aud": _audience(),
        "typ": typ,
        "sub": str(user.pk),
        "family": str(family.pk),
        "epoch": family.epoch,
        "jti": str(jti),
        "iat": now,
        "exp": now + life,
    }
    return jwt.encode(claims, _keys()[0], algorithm=ALGORITHM)


def _decode(token: str, *types: str, may_have_expired: bool = False) -> dict[str, Any]:
    if len(token) > MAX_TOKEN_CHARS:
        raise AppError(Code.UNAUTHENTICATED)
    for key in _keys():
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=settings.SITE_URL,
                audience=_audience(),
                leeway=LEEWAY,
                options={"require": CLAIMS, "verify_exp": not may_have_expired},
            )
        except (jwt.PyJWTError, ValueError):
            continue
        if claims["typ"] in types:
            return claims
    raise AppError(Code.UNAUTHENTICATED)


def _audience() -> str:
    return f"{settings.SITE_URL}/api/v1/"


def _keys() -> list[bytes]:
    """For signing the first; for verifying all, so that two hold while one takes the other's place."""
    if settings.TOKEN_KEYS:
        return [force_bytes(key) for key in settings.TOKEN_KEYS]
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [hmac.digest(force_bytes(secret), PURPOSE, hashlib.sha256) for secret in secrets]
