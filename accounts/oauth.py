"""What django-oauth-toolkit asks of us: who may still use what they hold.

Its own answers would let deactivated and banned people go on with their codes and tokens, and two refreshes
of one token at the same moment both succeed.
"""

import hashlib
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes

from accounts.actions.revocation import announce_revoked
from accounts.credentials import CLIENT, OAUTH, Credential
from accounts.models import Application, ApplicationStatus, User, admitted
from accounts.scopes import DEFAULT_SCOPES, SCOPES, parse_scopes
from chatproject.database import ClockTimestamp
from chatproject.errors import AppError, Code


class Scopes(BaseScopes):  # type: ignore[misc]
    """The table of scopes, as the toolkit asks for it."""

    def get_all_scopes(self) -> dict[str, str]:
        return {name: str(words) for name, words in SCOPES.items()}

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kw: Any
    ) -> list[str]:
        return list(SCOPES)

    def get_default_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kw: Any
    ) -> list[str]:
        return DEFAULT_SCOPES


class Validator(OAuth2Validator):  # type: ignore[misc]
    """Everything of the toolkit's, for people who are let in; codes lie hashed, as tokens do."""

    # --- codes --------------------------------------------------------------------------------------

    def save_authorization_code(self, client_id: str, code: Any, request: Any, *args: Any, **kw: Any) -> None:
        super().save_authorization_code(
            client_id, {**code, "code": _digest(code["code"])}, request, *args, **kw
        )

    def validate_code(
        self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kw: Any
    ) -> bool:
        """A code that was used already ends the tokens it gave (RFC 9700, 4.5.3).

        Runs in the transaction of the token view: a second use at the same moment waits for the first.
        """
        # Everything that follows finds the code by its digest.
        request.code = _digest(code)
        codes = get_grant_model().objects.select_for_update()
        list(codes.filter(code=request.code).values_list("pk"))
        if not super().validate_code(client_id, request.code, client, request, *args, **kw):
            used = get_refresh_token_model().objects.filter(
                application=client, token_family=_family_of(request.code)
            )
            _end_family(used.first())
            return False
        return _is_admitted(request.user)

    # --- tokens -------------------------------------------------------------------------------------

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Any, *args: Any, **kw: Any
    ) -> bool:
        """Of several at once one goes on; the others find the token used, which ends its family.

        Runs in the transaction of the token view, so the lock is held until the successor is there.
        """
        rows = get_refresh_token_model().objects.select_for_update(of=("self",))
        shown = list(rows.filter(token_checksum=_digest(refresh_token)).order_by("pk"))
        if not super().validate_refresh_token(refresh_token, client, request, *args, **kw):
            _end_family(next((row for row in shown if row.revoked is not None), None))
            return False
        return _is_admitted(request.user)

    def _create_refresh_token(
        self, request: Any, refresh_token_code: str, access_token: Any, previous_refresh_token: Any
    ) -> Any:
        made = super()._create_refresh_token(
            request, refresh_token_code, access_token, previous_refresh_token
        )
        if request.grant_type == "authorization_code":
            made.token_family = _family_of(request.code)
            made.save(update_fields=["token_family"])
        return made

    def validate_bearer_token(self, token: str, scopes: Any, request: Any) -> bool:
        valid = super().validate_bearer_token(token, scopes, request)
        return bool(valid) and (request.user is None or _is_admitted(request.user))

    def revoke_token(self, token: str, token_type_hint: str, request: Any, *args: Any, **kw: Any) -> None:
        from accounts.actions.applications import announce_ended

        super().revoke_token(token, token_type_hint, request, *args, **kw)
        if isinstance(request.client, Application):
            announce_ended(request.client)

    # --- scopes and grants --------------------------------------------------------------------------

    def validate_scopes(
        self, client_id: str, scopes: Any, client: Any, request: Any, *args: Any, **kw: Any
    ) -> bool:
        allowed = parse_scopes(client.allowed_scopes)
        return bool(super().validate_scopes(client_id, scopes, client, request, *args, **kw)) and (
            set(scopes) <= allowed
        )

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kw: Any
    ) -> bool:
        """An application acts alone only once staff have approved it, and while its account is let in."""
        valid = super().validate_grant_type(client_id, grant_type, client, request, *args, **kw)
        if grant_type == "client_credentials":
            approved = request.client.status == ApplicationStatus.APPROVED
            return bool(valid) and approved and _is_admitted(request.client.bot)
        return bool(valid)

    def _load_application(self, client_id: str, request: Any) -> Any:
        """The toolkit's, for ids that PostgreSQL can hold."""
        return None if "\0" in (client_id or "") else super()._load_application(client_id, request)


def alive_token(token: str) -> Any:
    """The access token that still holds, with its application and person; None for any other. One statement.

    Expired, of a suspended application, or of someone who is not let in: it does not hold.
    """
    people = Q(user__isnull=False) & admitted("user__")
    alone = Q(user__isnull=True, application__status=ApplicationStatus.APPROVED) & admitted(
        "application__bot__"
    )
    rows = get_access_token_model().objects.select_related("application__bot", "user").filter(people | alone)
    rows = rows.annotate(family=F("refresh_token__token_family"))
    return (
        rows.filter(
            token_checksum=_digest(token),
            expires__gt=ClockTimestamp(),
            application__isnull=False,
        )
        .exclude(application__status=ApplicationStatus.SUSPENDED)
        .first()
    )


def credential_of_application(token: str) -> tuple[User, Credential]:
    """The person for whom an application comes, or its own account, and the credential. One statement.

    Raises AppError UNAUTHENTICATED.
    """
    found = alive_token(token)
    if found is None:
        raise AppError(Code.UNAUTHENTICATED)
    user = found.user or found.application.bot
    family = getattr(found, "family", None)
    kind, key = (OAUTH, str(family)) if family else (CLIENT, str(found.pk))
    scopes, limit = parse_scopes(found.scope), found.application.requests_per_minute
    return user, Credential(kind, key, user.pk, user.epoch, scopes, found.application_id, limit)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _family_of(code_digest: str) -> UUID:
    """The family of the tokens that a code gives: a second use finds them, with nothing kept for it."""
    return UUID(code_digest[:32])


def _end_family(shown_again: Any) -> None:
    """Ends all tokens of the family of a refresh token, and what is connected with them; for None nothing."""
    if shown_again is None:
        return
    get_refresh_token_model().revoke_family(shown_again.token_family)
    announce_revoked(shown_again.user_id)


def _is_admitted(user: User | None) -> bool:
    return user is not None and User.objects.filter(admitted(), pk=user.pk).exists()
