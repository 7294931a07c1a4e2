"""What someone shows to be let in: a session, a token family, a ticket made from one of them.

Every live connection keeps the credential it came with, so that ending the credential ends the
connection: at once by ``credentials_revoked``, and in any case by asking ``ended``.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, QuerySet
from django.db.models.functions import Now
from django.dispatch import Signal
from django.utils.crypto import constant_time_compare

from accounts.bans import ban_refusal, refusal_of
from accounts.models import RealtimeTicket, TokenFamily, User, admitted
from chatproject.database import ClockTimestamp
from chatproject.errors import AppError, Code

SESSION: Literal["session"] = "session"
JWT: Literal["jwt"] = "jwt"
TICKET_SECONDS = 30
TICKET_BYTES = 16
MAX_TICKET_CHARS = 64
MAX_SESSION_KEY_CHARS = 40

# Sent after the commit with ``user_id`` and ``credential``; the latter is None when all of them ended.
credentials_revoked = Signal()


@dataclass(frozen=True, slots=True)
class Credential:
    """What a connection came with. ``epoch`` is the person's at that time; the key is never logged."""

    kind: Literal["session", "jwt"]
    key: str = field(repr=False)
    user_id: int
    epoch: int


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
    user_id, kind, key, epoch = row
    user = User.objects.filter(_alive(kind, key), admitted(), pk=user_id, epoch=epoch).first()
    if user is None:
        raise refusal_of(user_id)
    return user, Credential(kind, key, user_id, epoch)


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


# The CASE keeps a session key from being read as a uuid, and the index of token families in use.
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
WHERE u.id IS NULL OR u.banned OR (s.session_key IS NULL AND f.id IS NULL)
"""


def _hash_matches(user: User, kept: str) -> bool:
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(kept, right) for right in hashes)


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()


def _take_ticket(ticket: str) -> tuple[int, Literal["session", "jwt"], str, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM accounts_realtimeticket WHERE digest = %s AND expires_at > clock_timestamp()"
            " RETURNING user_id, credential_kind, credential_key, epoch",
            [_digest(ticket)],
        )
        row: tuple[int, Literal["session", "jwt"], str, int] | None = cursor.fetchone()
    return row


def _alive(kind: str, key: str) -> Exists:
    rows: QuerySet[Session] | QuerySet[TokenFamily] = (
        Session.objects.filter(session_key=key, expire_date__gt=Now())
        if kind == SESSION
        else TokenFamily.objects.filter(pk=key, revoked_at__isnull=True, expires_at__gt=Now())
    )
    return Exists(rows)
