"""What someone shows to be let in: a session, a token family, a grant to an application, a ticket.

Every live connection keeps the credential it came with, so that ending the credential ends the
connection: at once by ``credentials_revoked``, and in any case by asking ``ended``.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, QuerySet
from django.db.models.functions import Now
from django.dispatch import Signal
from django.utils.crypto import constant_time_compare
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from accounts.bans import ban_refusal, refusal_of
from accounts.models import ApplicationStatus, RealtimeTicket, TokenFamily, User, admitted
from accounts.scopes import parse_scopes, to_text
from chatproject.database import ClockTimestamp
from chatproject.errors import AppError, Code

SESSION: Literal["session"] = "session"
JWT: Literal["jwt"] = "jwt"
# A grant of a person to an application: it lasts as long as its family of refresh tokens has a living one.
OAUTH: Literal["oauth"] = "oauth"
# A token with which an application acts on its own, for as long as the token lasts.
CLIENT: Literal["client"] = "client"
Kind = Literal["session", "jwt", "oauth", "client"]
TICKET_SECONDS = 30
TICKET_BYTES = 16
MAX_TICKET_CHARS = 64
MAX_SESSION_KEY_CHARS = 40

# Sent after the commit with ``user_id`` and ``credential``; the latter is None when all of them ended.
credentials_revoked = Signal()


@dataclass(frozen=True, slots=True)
class Credential:
    """What a connection came with. ``epoch`` is the person's at that time; the key is never logged.

    ``scopes`` are what an application was allowed; None for a person themself, who may all they may.
    """

    kind: Kind
    key: str = field(repr=False)
    user_id: int
    epoch: int
    scopes: frozenset[str] | None = None
    application_id: int | None = None
    requests_per_minute: int = 0


def session_credential(session_key: str | None) -> tuple[User, Credential] | None:
    """The person signed in by a session cookie, or None. Two statements, the database's clock.

    Raises AppError BANNED.
    """
    if not session_key or len(session_key) > MAX_SESSION_KEY_CHARS or "\0" in session_key:
        return None
    row = Session.objects.filter(session_key=session_key, expire_date__gt=Now()).first()
    data = SessionStore().decode(row.session_data) if row else {}
    if not data.get(BACKEND_SESSION_KEY) or not str(data.get(SESSION_KEY, "")).isdecimal():
        return None
    user = User.objects.filter(admitted(), pk=int(data[SESSION_KEY])).first()
    if user is None and (refusal := refusal_of(int(data[SESSION_KEY]))).code is Code.BANNED:
        raise refusal
    if user is None or not _hash_matches(user, str(data.get(HASH_SESSION_KEY, ""))):
        return None
    return user, Credential(SESSION, session_key, user.pk, user.epoch)


def issue_ticket(user: User, credential: Credential) -> str:
    """A ticket for one socket of ``user``; its end follows from that of ``credential``."""
    ticket = secrets.token_urlsafe(TICKET_BYTES)
    RealtimeTicket.objects.create(
        digest=_digest(ticket),
        user=user,
        credential_kind=credential.kind,
        credential_key=credential.key,
        epoch=credential.epoch,
        scopes=None if credential.scopes is None else to_text(credential.scopes),
        expires_at=ClockTimestamp() + timedelta(seconds=TICKET_SECONDS),
    )
    return ticket


def redeem_ticket(ticket: str) -> tuple[User, Credential]:
    """The person and credential behind a ticket, once. Two statements.

    Raises AppError UNAUTHENTICATED, BANNED.
    """
    row = _take_ticket(ticket) if len(ticket) <= MAX_TICKET_CHARS else None
    if row is None:
        raise AppError(Code.UNAUTHENTICATED)
    user_id, kind, key, epoch, scopes = row
    user = User.objects.filter(_alive(kind, key), admitted(), pk=user_id, epoch=epoch).first()
    if user is None:
        raise refusal_of(user_id)
    return user, Credential(kind, key, user_id, epoch, None if scopes is None else parse_scopes(scopes))


def ended(credentials: Iterable[Credential]) -> dict[Credential, AppError]:
    """Those of ``credentials`` that are refused now, and why; one statement for any number and mix."""
    known = list(set(credentials))
    if not known:
        return {}
    columns = (
        [credential.kind for credential in known],
        [credential.key for credential in known],
        [credential.user_id for credential in known],
        [credential.epoch for credential in known],
    )
    with connection.cursor() as cursor:
        cursor.execute(ENDED_SQL, columns)
        return {
            known[place - 1]: ban_refusal(until, reason) if banned else AppError(Code.UNAUTHENTICATED)
            for place, banned, until, reason in cursor.fetchall()
        }


# The CASE keeps a session key from being read as a uuid, and the indexes in use.
ENDED_SQL = """
SELECT c.place, coalesce(u.banned, false), u.banned_until, u.ban_reason
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])
     WITH ORDINALITY AS c(kind, key, user_id, epoch, place)
LEFT JOIN (SELECT *, banned_until > clock_timestamp() AS banned FROM accounts_user) u
     ON u.id = c.user_id AND u.is_active AND u.epoch = c.epoch
LEFT JOIN django_session s
     ON c.kind = 'session' AND s.session_key = c.key AND s.expire_date > clock_timestamp()
LEFT JOIN accounts_tokenfamily f
     ON f.id = CASE WHEN c.kind = 'jwt' THEN c.key::uuid END
     AND f.user_id = c.user_id AND f.revoked_at IS NULL AND f.expires_at > clock_timestamp()
LEFT JOIN LATERAL (
    SELECT r.id FROM oauth2_provider_refreshtoken r JOIN accounts_application a ON a.id = r.application_id
     WHERE r.token_family = CASE WHEN c.kind = 'oauth' THEN c.key::uuid END
       AND r.user_id = c.user_id AND r.revoked IS NULL AND a.status <> 'suspended' LIMIT 1
) o ON true
LEFT JOIN LATERAL (
    SELECT t.id FROM oauth2_provider_accesstoken t JOIN accounts_application a ON a.id = t.application_id
     WHERE t.id = CASE WHEN c.kind = 'client' THEN c.key::bigint END
       AND a.bot_id = c.user_id AND t.expires > clock_timestamp() AND a.status = 'approved'
) t ON true
WHERE u.id IS NULL OR u.banned
   OR (s.session_key IS NULL AND f.id IS NULL AND o.id IS NULL AND t.id IS NULL)
"""


def _hash_matches(user: User, kept: str) -> bool:
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(kept, right) for right in hashes)


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()


def _take_ticket(ticket: str) -> tuple[int, Kind, str, int, str | None] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM accounts_realtimeticket WHERE digest = %s AND expires_at > clock_timestamp()"
            " RETURNING user_id, credential_kind, credential_key, epoch, scopes",
            [_digest(ticket)],
        )
        row: tuple[int, Kind, str, int, str | None] | None = cursor.fetchone()
    return row


def _alive(kind: Kind, key: str) -> Exists:
    rows: QuerySet[Any]
    if kind == SESSION:
        rows = Session.objects.filter(session_key=key, expire_date__gt=Now())
    elif kind == JWT:
        rows = TokenFamily.objects.filter(pk=key, revoked_at__isnull=True, expires_at__gt=Now())
    elif kind == OAUTH:
        living = get_refresh_token_model().objects.filter(token_family=key, revoked__isnull=True)
        rows = living.exclude(application__status=ApplicationStatus.SUSPENDED)
    else:
        rows = get_access_token_model().objects.filter(
            pk=key, expires__gt=Now(), application__status=ApplicationStatus.APPROVED
        )
    return Exists(rows)
