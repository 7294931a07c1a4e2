"""Applications of third parties: registered by people, approved and suspended by staff."""

import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts.actions.naming import unique_or_conflict
from accounts.actions.revocation import announce_revoked
from accounts.models import Application, ApplicationStatus, Consent, User
from accounts.names import clean_display_name, skeleton
from accounts.scopes import SCOPES, parse_scopes, to_text
from chatproject.errors import AppError, Code
from chatproject.lines import clean_line, plain_line

MAX_APPLICATIONS = 20
MAX_REDIRECT_URIS = 10
_LOOPBACK = {"127.0.0.1", "::1"}


def register_application(
    owner: User,
    *,
    name: str,
    redirect_uris: Iterable[str],
    scopes: Iterable[str],
    confidential: bool,
    acts_alone: bool = False,
    description: str = "",
    website: str = "",
) -> tuple[Application, str]:
    """A new application, and its secret, which nobody can see again; empty for a public one.

    ``acts_alone`` makes it one that works without a person (client credentials); it gets an account of its
    own when staff approve it. Raises AppError FORBIDDEN for guests, INVALID with ``fields``.
    """
    if owner.is_guest:
        raise AppError(Code.FORBIDDEN, "Guests cannot register applications. Sign up first.")
    if Application.objects.filter(user=owner).count() >= MAX_APPLICATIONS:
        raise AppError(Code.CONFLICT, f"You have {MAX_APPLICATIONS} applications. Remove one first.")
    if acts_alone and not confidential:
        raise AppError(Code.INVALID, fields={"acts_alone": ["It needs a secret: choose a confidential one."]})
    secret = generate_client_secret() if confidential else ""
    application = Application(
        user=owner,
        name=clean_display_name(name),
        description=plain_line(description),
        website=clean_line(website, field="website"),
        redirect_uris="" if acts_alone else " ".join(_checked_uris(redirect_uris)),
        client_type=Application.CLIENT_CONFIDENTIAL if confidential else Application.CLIENT_PUBLIC,
        authorization_grant_type=(
            Application.GRANT_CLIENT_CREDENTIALS if acts_alone else Application.GRANT_AUTHORIZATION_CODE
        ),
        client_secret=secret,
        allowed_scopes=_checked_scopes(scopes),
    )
    _save(application)
    return application, secret


def change_application(
    owner: User, application_id: int, *, redirect_uris: Iterable[str], description: str, website: str
) -> Application:
    """Where it may send people, and what it says of itself; by its owner.

    Raises AppError NOT_FOUND, INVALID.
    """
    application = own_application(owner, application_id)
    if application.authorization_grant_type == Application.GRANT_AUTHORIZATION_CODE:
        application.redirect_uris = " ".join(_checked_uris(redirect_uris))
    application.description = plain_line(description)
    application.website = clean_line(website, field="website")
    _save(application)
    return application


def renew_secret(owner: User, application_id: int) -> str:
    """A new secret in the place of the old one, which stops working at once."""
    application = own_application(owner, application_id)
    if application.client_type != Application.CLIENT_CONFIDENTIAL:
        raise AppError(Code.INVALID, "A public application has no secret.")
    secret: str = generate_client_secret()
    application.client_secret = secret
    application.save(update_fields=["client_secret", "updated"])
    return secret


@transaction.atomic
def remove_application(owner: User, application_id: int) -> None:
    """Ends all its tokens. The account that it acted as stays: it is the author of messages."""
    application = own_application(owner, application_id)
    announce_ended(application)
    application.delete()


def own_application(owner: User, application_id: int) -> Application:
    """An application of ``owner``. Raises AppError NOT_FOUND."""
    application: Application | None = Application.objects.filter(pk=application_id, user=owner).first()
    if application is None:
        raise AppError(Code.NOT_FOUND)
    return application


@transaction.atomic
def approve_application(application: Application) -> None:
    """Lets everyone use it; one that acts alone gets its account."""
    application.status = ApplicationStatus.APPROVED
    alone = application.authorization_grant_type == Application.GRANT_CLIENT_CREDENTIALS
    if alone and application.bot is None:
        application.bot = _make_bot(application)
    application.save(update_fields=["status", "bot", "updated"])


@transaction.atomic
def suspend_application(application: Application) -> None:
    """Refuses it and its tokens at once, until it is approved again."""
    application.status = ApplicationStatus.SUSPENDED
    application.save(update_fields=["status", "updated"])
    announce_ended(application)


def limit_application(application: Application, *, scopes: str, requests_per_minute: int) -> None:
    """What it may ask for from now on, and how often it may come. Tokens that it has keep their scopes."""
    application.allowed_scopes = _checked_scopes(scopes.split())
    application.requests_per_minute = requests_per_minute
    _save(application)


@transaction.atomic
def give_consent(user: User, application: Application, scopes: Iterable[str]) -> None:
    """Remembers what ``user`` has allowed, with what they had allowed before."""
    consent = Consent.objects.select_for_update().filter(user=user, application=application).first()
    before = parse_scopes(consent.scopes) if consent else frozenset()
    Consent.objects.update_or_create(
        user=user, application=application, defaults={"scopes": to_text(before | set(scopes))}
    )


@transaction.atomic
def take_consent_back(user: User, application_id: int) -> None:
    """Ends everything the application holds of ``user``, at once."""
    mine: dict[str, Any] = {"user": user, "application_id": application_id}
    Consent.objects.filter(**mine).delete()
    get_grant_model().objects.filter(**mine).delete()
    get_refresh_token_model().objects.filter(**mine).delete()
    get_access_token_model().objects.filter(**mine).delete()
    announce_revoked(user.pk)


def announce_ended(application: Application) -> None:
    """Has the connections of everyone who uses ``application`` looked at again."""
    users = set(
        get_refresh_token_model()
        .objects.filter(application=application)
        .values_list("user_id", flat=True)
        .distinct()
    )
    if application.bot_id:
        users.add(application.bot_id)
    for user_id in users:
        announce_revoked(user_id)


def _checked_uris(uris: Iterable[str]) -> list[str]:
    """Absolute, without a fragment; https, or http to this machine (RFC 8252, 7.3)."""
    found = list(dict.fromkeys(uri for line in uris for uri in line.split()))
    if not 1 <= len(found) <= MAX_REDIRECT_URIS:
        words = f"Give 1 to {MAX_REDIRECT_URIS} addresses."
        raise AppError(Code.INVALID, fields={"redirect_uris": [words]})
    for uri in found:
        try:
            parts = urlsplit(uri)
            secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
            wrong = not secure or not parts.hostname or "#" in uri or "@" in parts.netloc or "*" in uri
        except ValueError:
            wrong = True
        if wrong or len(uri) > 500 or not uri.isascii():
            words = f"{uri}: an https address, or http://127.0.0.1, without # and user name."
            raise AppError(Code.INVALID, fields={"redirect_uris": [words]})
    return found


def _checked_scopes(scopes: Iterable[str]) -> str:
    wanted = set(scopes)
    if not wanted or wanted - SCOPES.keys():
        raise AppError(Code.INVALID, fields={"scopes": ["Choose what it needs, from the list."]})
    return to_text(wanted)


def _save(application: Application) -> None:
    try:
        application.full_clean(exclude=["client_secret", "user", "bot"])
    except ValidationError as error:
        raise AppError(Code.INVALID, fields=error.message_dict) from error
    application.save()


def _make_bot(application: Application) -> User:
    """The account of an application: its name, no password, no way to sign in."""
    name = clean_display_name(application.name)
    bot = User(
        username=f"bot-{secrets.token_hex(8)}", display_name=name, name_skeleton=skeleton(name), is_bot=True
    )
    bot.set_unusable_password()
    with unique_or_conflict(name):
        bot.save(force_insert=True)
    return bot
