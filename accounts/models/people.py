"""Who someone is: people with an account, guests, and the credentials they hold."""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.crypto import salted_hmac

from accounts.names import MAX_NAME_CHARS, MAX_SKELETON_CHARS, clean_display_name, skeleton
from chatproject.database import ClockTimestamp

# The end of a ban that has none.
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)


def admitted(prefix: str = "") -> models.Q:
    """The people who may come in now: neither deactivated nor banned, by the database's clock.

    ``prefix`` leads to the person, such as ``user__``.
    """
    free = models.Q(**{f"{prefix}banned_until__isnull": True})
    return models.Q(**{f"{prefix}is_active": True}) & (
        free | models.Q(**{f"{prefix}banned_until__lte": ClockTimestamp()})
    )


class UserManager(BaseUserManager["User"]):
    """Makes accounts for commands, reserved names included; people come by ``accounts.actions``."""

    def create_user(
        self, username: str | None = None, email: str | None = None, password: str | None = None, **extra: Any
    ) -> "User":
        name = extra.pop("display_name", None) or username or (email or "").partition("@")[0]
        display_name = clean_display_name(name, may_be_reserved=True)
        user = self.model(
            username=username.lower() if username else None,
            email=email.lower() if email else None,
            display_name=display_name,
            name_skeleton=skeleton(display_name),
            **extra,
        )
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str | None = None, email: str | None = None, password: str | None = None, **extra: Any
    ) -> "User":
        return self.create_user(username, email, password, is_staff=True, is_superuser=True, **extra)


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # the toolkit's is untyped
    """A person, with an account or as a guest. The row stays for ever: it is the author of messages.

    ``epoch`` is raised to end every credential of the person at once (password change, deactivation,
    log-out everywhere). ``name_released_at`` is set when a guest's name becomes free again.
    ``banned_until`` refuses every credential without ending it, so that a lifted ban gives all of them back.
    """

    username = models.CharField(max_length=150, unique=True, null=True, blank=True)
    email = models.EmailField(null=True, blank=True)
    display_name = models.CharField(max_length=MAX_NAME_CHARS)
    name_skeleton = models.CharField(max_length=MAX_SKELETON_CHARS, editable=False)
    name_released_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_guest = models.BooleanField(default=False)
    is_bot = models.BooleanField(default=False, db_default=False, editable=False)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    banned_until = models.DateTimeField(null=True, blank=True, editable=False)
    ban_reason = models.CharField(max_length=700, blank=True, db_default="", editable=False)
    epoch = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_seen_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        permissions = [("grant_rights", "Can give and take the rights of staff")]
        constraints = [
            models.UniqueConstraint(
                fields=["name_skeleton"],
                condition=models.Q(name_released_at__isnull=True),
                name="user_name_skeleton_in_use",
            ),
            models.UniqueConstraint(Lower("email"), name="user_email"),
            models.UniqueConstraint(Lower("username"), name="user_username"),
            models.CheckConstraint(condition=~models.Q(display_name=""), name="user_display_name_not_empty"),
            models.CheckConstraint(
                condition=models.Q(is_guest=False) | models.Q(is_staff=False, is_superuser=False),
                name="user_guest_is_not_staff",
            ),
            models.CheckConstraint(
                condition=models.Q(is_guest=True, username__isnull=True, email__isnull=True)
                | models.Q(is_guest=False, username__isnull=False),
                name="user_account_has_username",
            ),
            models.CheckConstraint(
                condition=models.Q(is_guest=True) | models.Q(name_released_at__isnull=True),
                name="user_account_keeps_name",
            ),
        ]
        indexes = [
            models.Index(
                fields=["last_seen_at"],
                condition=models.Q(is_guest=True, name_released_at__isnull=True),
                name="user_idle_guests",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name

    def clean(self) -> None:
        super().clean()
        self.username = self.username.lower() if self.username else None
        self.email = self.email.lower() if self.email else None

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Binds a session to the password and the epoch, so that raising the epoch ends it."""
        value = f"{self.password}\n{self.epoch}"
        return salted_hmac("accounts.session", value, secret=secret, algorithm="sha256").hexdigest()


class TokenFamily(models.Model):
    """All JWTs that descend from one sign-in. Revoking the family ends them together.

    ``current_jti`` is the id of the one refresh token that may still be used; a refresh with any other
    of the family is a replay and revokes it (RFC 9700, 4.14.2).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="token_families")
    epoch = models.BigIntegerField()
    current_jti = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "token families"

    def __str__(self) -> str:
        return f"Tokens of {self.user}"


class RealtimeTicket(models.Model):
    """A ticket for one socket: single use, 30 seconds, kept as a hash. Deleted when it is used."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    credential_kind = models.CharField(max_length=16)
    credential_key = models.CharField(max_length=64)
    epoch = models.BigIntegerField()
    scopes = models.TextField(null=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Ticket until {self.expires_at}"
