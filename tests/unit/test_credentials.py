"""Credentials, tickets and tokens: who is let in, how many statements it takes, and how all of it ends."""

import base64
import json
import secrets
import uuid
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.actions.accounts import set_password
from accounts.actions.guests import create_guest, expire_guests
from accounts.actions.revocation import (
    deactivate,
    end_all_credentials,
    end_credential,
    prune_credentials,
    reactivate,
)
from accounts.actions.sign_in import password_sign_in
from accounts.credentials import (
    JWT,
    SESSION,
    Credential,
    credentials_revoked,
    ended,
    issue_ticket,
    redeem_ticket,
    session_credential,
)
from accounts.models import RealtimeTicket, TokenFamily, User
from chatproject.errors import AppError, Code

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob():
    name = f"bob-{uuid.uuid4().hex}"
    return User.objects.create_user(
        name, f"{name}@example.org", "correct horse battery", display_name=name[:30]
    )


@pytest.fixture
def revoked(django_capture_on_commit_callbacks):
    """Calls what it is given, commits, and returns what ``credentials_revoked`` said."""

    def run(function, *args, **kwargs):
        heard = []

        def hear(sender, user_id, credential, **_):
            heard.append((user_id, credential))

        credentials_revoked.connect(hear)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                function(*args, **kwargs)
        finally:
            credentials_revoked.disconnect(hear)
        return heard

    return run


def session_of(user):
    client = Client()
    client.force_login(user)
    return client.session.session_key


def credentials_of(user):
    session = session_credential(session_of(user))[1]
    token = tokens.credential_of_access(tokens.issue_pair(user).access)[1]
    return session, token


def refused(function, *args, **kwargs):
    """Whether the answer is UNAUTHENTICATED; another refusal passes through."""
    try:
        function(*args, **kwargs)
    except AppError as refusal:
        if refusal.code != Code.UNAUTHENTICATED:
            raise
        return True
    return False


def test_session_is_found_in_two_statements(bob, django_assert_num_queries):
    key = session_of(bob)
    with django_assert_num_queries(2):
        user, credential = session_credential(key)
    assert user == bob
    assert credential == Credential(SESSION, key, bob.pk, 0)
    assert key not in repr(credential)


@pytest.mark.parametrize("key", [None, "", "unknown", "x" * 41, "a\0b"])
def test_unknown_session_is_nobody(key):
    assert session_credential(key) is None


def test_anonymous_session_is_nobody():
    store = SessionStore()
    store["a"] = 1
    store.save()
    assert session_credential(store.session_key) is None


def test_session_ends_with_its_time_and_password_and_person(bob):
    key = session_of(bob)
    Session.objects.filter(session_key=key).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert session_credential(key) is None
    for end in (
        deactivate,
        end_all_credentials,
        lambda user: set_password(user, password="another one entirely"),
    ):
        reactivate(bob)
        key = session_of(bob)
        assert session_credential(key)
        end(bob)
        assert session_credential(key) is None


def test_ticket_lets_in_once_in_two_statements(bob, django_assert_num_queries):
    for credential in credentials_of(bob):
        ticket = issue_ticket(bob, credential)
        with django_assert_num_queries(2):
            assert redeem_ticket(ticket) == (bob, credential)
        assert refused(redeem_ticket, ticket)


def test_ticket_is_kept_as_a_hash(bob):
    ticket = issue_ticket(bob, credentials_of(bob)[0])
    assert len(base64.urlsafe_b64decode(ticket + "==")) == 16
    assert ticket.encode() not in bytes(RealtimeTicket.objects.get(user=bob).digest)


@pytest.mark.parametrize("ticket", ["", "unknown", "x" * 10_000, "\0", "\ud800"])
def test_unknown_ticket_is_refused(ticket):
    assert refused(redeem_ticket, ticket)


def test_old_ticket_is_refused(bob):
    ticket = issue_ticket(bob, credentials_of(bob)[0])
    RealtimeTicket.objects.filter(user=bob).update(expires_at=timezone.now() - timedelta(milliseconds=1))
    assert refused(redeem_ticket, ticket)


def test_ticket_ends_with_its_credential(bob):
    for place in (0, 1):
        credential = credentials_of(bob)[place]
        ticket = issue_ticket(bob, credential)
        end_credential(credential)
        assert refused(redeem_ticket, ticket)
        credential = credentials_of(bob)[place]
        ticket = issue_ticket(bob, credential)
        end_all_credentials(bob)
        assert refused(redeem_ticket, ticket)


def test_ended_asks_once_for_any_mix(bob, django_assert_num_queries):
    carol = User.objects.create_user(f"carol-{uuid.uuid4().hex}", None, "correct horse battery")
    living = credentials_of(bob)
    dead = credentials_of(carol)
    single = [credentials_of(bob)[0], credentials_of(bob)[1]]
    for credential in single:
        end_credential(credential)
    deactivate(carol)
    made_up = Credential(JWT, str(uuid.uuid4()), bob.pk, 0)
    with django_assert_num_queries(1):
        assert ended([*living, *dead, *single, made_up]).keys() == {*dead, *single, made_up}
    with django_assert_num_queries(0):
        assert ended([]).keys() == set()


def test_ended_sees_time_run_out(bob):
    session, token = credentials_of(bob)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    TokenFamily.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert ended([session, token]).keys() == {session, token}


def test_another_persons_family_is_no_credential(bob):
    carol = User.objects.create_user(f"carol-{uuid.uuid4().hex}", None, "correct horse battery")
    family = credentials_of(carol)[1]
    forged = Credential(JWT, family.key, bob.pk, 0)
    assert ended([forged]).keys() == {forged}


def test_revocation_is_announced_after_the_commit(bob, revoked):
    session, token = credentials_of(bob)
    assert revoked(end_credential, session) == [(bob.pk, session)]
    assert revoked(end_credential, token) == [(bob.pk, token)]
    for act in (end_all_credentials, deactivate):
        assert revoked(act, bob) == [(bob.pk, None)]
    assert revoked(set_password, bob, password="another one entirely") == [(bob.pk, None)]
    assert bob.epoch == 3


# --- Tokens ---


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_access_is_known_in_one_statement(bob, django_assert_num_queries):
    pair = tokens.issue_pair(bob)
    assert pair.expires_in == 600
    with django_assert_num_queries(1):
        user, credential = tokens.credential_of_access(pair.access)
    assert user == bob
    assert credential.kind == JWT
    assert credential.user_id == bob.pk


def test_refresh_gives_a_new_pair_of_the_same_family(bob):
    first = tokens.issue_pair(bob)
    second = tokens.refresh_pair(first.refresh)
    assert second.refresh != first.refresh
    assert claims_of(second.access)["family"] == claims_of(first.access)["family"]
    assert tokens.credential_of_access(second.access)[0] == bob
    assert tokens.refresh_pair(second.refresh)


def test_a_replayed_refresh_ends_the_family(bob, revoked):
    first = tokens.issue_pair(bob)
    other = tokens.issue_pair(bob)
    second = tokens.refresh_pair(first.refresh)
    credential = tokens.credential_of_access(second.access)[1]
    heard = revoked(lambda: refused(tokens.refresh_pair, first.refresh))
    assert heard == [(bob.pk, credential)]
    assert refused(tokens.refresh_pair, second.refresh)
    assert refused(tokens.credential_of_access, second.access)
    assert tokens.credential_of_access(other.access)


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_either_token_revokes_the_family(bob, kind):
    pair = tokens.issue_pair(bob)
    tokens.revoke(getattr(pair, kind))
    assert refused(tokens.credential_of_access, pair.access)
    assert refused(tokens.refresh_pair, pair.refresh)
    tokens.revoke("nonsense")


def test_one_kind_is_not_taken_for_the_other(bob):
    pair = tokens.issue_pair(bob)
    assert refused(tokens.credential_of_access, pair.refresh)
    assert refused(tokens.refresh_pair, pair.access)
    assert tokens.refresh_pair(pair.refresh)


@pytest.mark.parametrize("end", [deactivate, end_all_credentials, User.delete])
def test_tokens_end_with_the_person(bob, end):
    pair = tokens.issue_pair(bob)
    end(bob)
    assert refused(tokens.credential_of_access, pair.access)
    assert refused(tokens.refresh_pair, pair.refresh)


def test_what_a_deactivated_person_held_stays_ended(bob):
    pair = tokens.issue_pair(bob)
    deactivate(bob)
    reactivate(bob)
    assert refused(tokens.credential_of_access, pair.access)


def forged(token, *, key=None, algorithm="HS256", without=None, **changes):
    claims = {**claims_of(token), **changes}
    claims.pop(without, None)
    return jwt.encode(claims, key or tokens._keys()[0], algorithm=algorithm)


@pytest.mark.filterwarnings("ignore:The HMAC key")
def test_forged_tokens_are_refused(bob):
    access = tokens.issue_pair(bob).access
    head, body, _ = access.split(".")
    none_head = (
        base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).decode().rstrip("=")
    )
    old = datetime.now(UTC) - timedelta(minutes=1)
    bad = [
        "", ".", "a.b.c", "x" * 5000, "\ud800.a.b", f"{head}.{body}.", f"{none_head}.{body}.",
        access[:-4] + "AAAA",
        forged(access, key=b"another key of thirty-two bytes!"),
        forged(access, algorithm="HS512", key=b"x" * 64),
        forged(access, algorithm="HS384"),
        forged(access, exp=old), forged(access, iss="https://elsewhere.example"),
        forged(access, aud="other"), forged(access, typ="refresh"), forged(access, sub="0"),
        forged(access, sub=str(bob.pk + 1)), forged(access, epoch=7),
        forged(access, family=str(uuid.uuid4())),
        *(forged(access, without=claim) for claim in tokens.CLAIMS),
    ]  # fmt: skip
    for token in bad:
        assert refused(tokens.credential_of_access, token), token
    assert tokens.credential_of_access(forged(access))


def test_tokens_outlive_a_change_of_the_secret_key(bob, settings):
    pair = tokens.issue_pair(bob)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one"
    assert tokens.credential_of_access(pair.access)
    settings.SECRET_KEY_FALLBACKS = []
    assert refused(tokens.credential_of_access, pair.access)


def test_password_sign_in_is_limited_and_says_nothing(bob):
    address = f"10.70.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    assert password_sign_in(bob.email.upper(), password="correct horse battery", address=address) == bob
    assert password_sign_in(bob.username, password="correct horse battery", address=address) == bob
    for name, password in [
        (bob.email, "wrong"), ("nobody", "wrong"), ("", ""), ("a\0b", "x"), ("\ud800", "x"),
        (bob.email, "\ud800"), (bob.email, "x" * 100_000),
    ]:  # fmt: skip
        assert refused(password_sign_in, name, password=password, address=address)
    deactivate(bob)
    assert refused(password_sign_in, bob.email, password="correct horse battery", address=address)
    with pytest.raises(AppError) as refusal:
        for _ in range(40):
            refused(password_sign_in, secrets.token_hex(8), password="wrong", address=address)
    assert refusal.value.code == Code.RATE_LIMITED
    assert refusal.value.retry_after > 0


# --- Guests ---


def long_ago(user):
    User.objects.filter(pk=user.pk).update(last_seen_at=timezone.now() - timedelta(days=31))


def test_idle_guests_lose_credentials_and_name(revoked):
    name = f"Gil {uuid.uuid4().hex[:12]}"
    gil, here = create_guest(name), create_guest(f"{name} too")
    session, token = credentials_of(gil)
    long_ago(gil)
    assert (gil.pk, None) in revoked(expire_guests)
    assert ended([session, token]).keys() == {session, token}
    assert session_credential(session.key) is None
    gil.refresh_from_db()
    here.refresh_from_db()
    assert gil.name_released_at
    assert not here.name_released_at
    assert create_guest(name).pk != gil.pk


def test_accounts_never_expire(bob):
    long_ago(bob)
    expire_guests()
    bob.refresh_from_db()
    assert bob.name_released_at is None


def test_using_a_token_keeps_a_guest(django_assert_num_queries):
    gil = create_guest(f"Gil {uuid.uuid4().hex[:12]}")
    pair = tokens.issue_pair(gil)
    long_ago(gil)
    with django_assert_num_queries(2):
        tokens.credential_of_access(pair.access)
    with django_assert_num_queries(1):
        tokens.credential_of_access(pair.access)
    gil.refresh_from_db()
    assert timezone.now() - gil.last_seen_at < timedelta(minutes=1)


def test_pruning_leaves_what_is_in_use(bob):
    living = credentials_of(bob)
    ticket = issue_ticket(bob, living[0])
    dead = issue_ticket(bob, living[1])
    RealtimeTicket.objects.filter(credential_kind=JWT).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    old = tokens.issue_pair(bob)
    TokenFamily.objects.filter(pk=claims_of(old.access)["family"]).update(expires_at=timezone.now())
    assert prune_credentials() >= 2
    assert ended(living).keys() == set()
    assert refused(redeem_ticket, dead)
    assert redeem_ticket(ticket)


def test_tokens_have_a_key_of_their_own_and_two_hold_while_it_is_changed(bob, settings):
    settings.TOKEN_KEYS = ["a" * 32]
    old = tokens.issue_pair(bob)
    settings.TOKEN_KEYS = ["b" * 32, "a" * 32]
    assert tokens.credential_of_access(old.access)[0] == bob
    new = tokens.issue_pair(bob)
    settings.TOKEN_KEYS = ["b" * 32]
    assert tokens.credential_of_access(new.access)[0] == bob
    with pytest.raises(AppError):
        tokens.credential_of_access(old.access)
    settings.TOKEN_KEYS = []
    with pytest.raises(AppError):
        tokens.credential_of_access(new.access)
