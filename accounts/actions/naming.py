"""Keeping a name one's own: the unique index decides, and a taken name comes with a free one."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from accounts import names
from accounts.models import User
from chatproject.errors import AppError, Code


@contextmanager
def unique_or_conflict(display_name: str) -> Iterator[None]:
    """Runs a write of ``display_name`` in its own savepoint.

    Two that take one name at the same moment: the index lets one through and the other gets AppError
    CONFLICT, as does a second account with the same e-mail address.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if constraint == "user_name_skeleton_in_use":
            raise name_taken(display_name) from error
        if constraint in {"user_email", "account_emailaddress_email_key"}:
            raise email_taken() from error
        raise


def is_free(display_name: str, *, for_user: User | None = None) -> bool:
    """Whether nobody else uses a name that looks like ``display_name``."""
    others = User.objects.filter(name_skeleton=names.skeleton(display_name), name_released_at__isnull=True)
    if for_user:
        others = others.exclude(pk=for_user.pk)
    return not others.exists()


def name_taken(display_name: str) -> AppError:
    """CONFLICT with ``fields.display_name`` and a name in ``fields.suggestion`` that is free now."""
    suggestion = _free_name_like(display_name)
    text = f"{display_name} is taken here. “{suggestion}” is free."
    return AppError(
        Code.CONFLICT,
        text,
        fields={"display_name": [f"{display_name} is taken here."], "suggestion": [suggestion]},
    )


def email_taken() -> AppError:
    """CONFLICT: the e-mail address has an account."""
    text = "This e-mail address has an account. Sign in, or ask for a new password."
    return AppError(Code.CONFLICT, text, fields={"email": [text]})


def _free_name_like(display_name: str) -> str:
    candidates = names.alternatives(display_name)
    skeletons = {names.skeleton(candidate): candidate for candidate in candidates}
    taken = set(
        User.objects.filter(name_skeleton__in=skeletons, name_released_at__isnull=True).values_list(
            "name_skeleton", flat=True
        )
    )
    free = [name for look, name in skeletons.items() if look not in taken]
    return free[0] if free else _numbered(display_name)


def _numbered(display_name: str) -> str:
    """Twenty people share the name: six random digits are free but for one in thousands."""
    end = f" {secrets.randbelow(900_000) + 100_000}"
    candidate = display_name[: names.MAX_NAME_CHARS - len(end)].rstrip() + end
    return candidate if is_free(candidate) else _numbered(display_name)
