"""A room and its place in the log."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now


class RoomKind(models.TextChoices):
    """Who may find and read a room, and in an announcement room who may write: its moderators."""

    PUBLIC = "public", "Public"
    ANNOUNCEMENT = "announcement", "Announcements"
    PRIVATE = "private", "Private"


class GuestPolicy(models.TextChoices):
    """What guests, and visitors without a name, may do in a room that is not private."""

    NONE = "none", "Not open to guests"
    READ = "read", "Guests may read"
    APPROVAL = "approval", "Guests may read, and write after approval"
    WRITE = "write", "Guests may read and write"


MAX_SLOW_MODE_SECONDS = 6 * 60 * 60


class Room(models.Model):
    """A room. ``last_seq`` is the head of its log, ``first_seq`` the oldest event still kept.

    ``seq`` runs from 1 without holes; it is given under a lock on this row (``chat.log``).
    """

    slug = models.SlugField(
        max_length=64, unique=True, validators=[RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    )
    name = models.CharField(max_length=80)
    topic = models.CharField(max_length=250, blank=True)
    kind = models.CharField(max_length=16, choices=RoomKind, default=RoomKind.PUBLIC)
    guest_policy = models.CharField(max_length=16, choices=GuestPolicy, default=GuestPolicy.NONE)
    slow_mode_seconds = models.PositiveIntegerField(default=0)
    hide_after_reports = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Hide a message for the time of the review after so many reports; 0 for never.",
    )
    # Whether something besides the hub reads the log as it grows; kept so that a send need not look.
    is_watched = models.BooleanField(default=False, db_default=False, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    last_seq = models.BigIntegerField(default=0, editable=False)
    first_seq = models.BigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    client_id = models.UUIDField(null=True, editable=False)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="rooms")

    class Meta:
        permissions = [
            ("view_private_rooms", "Can look into private rooms; each look is recorded"),
            ("assign_room_roles", "Can give and take roles in any room"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="room_name_not_empty"),
            models.CheckConstraint(condition=models.Q(kind__in=RoomKind.values), name="room_kind"),
            models.CheckConstraint(
                condition=models.Q(guest_policy__in=GuestPolicy.values), name="room_guest_policy"
            ),
            models.CheckConstraint(
                condition=~models.Q(kind=RoomKind.PRIVATE) | models.Q(guest_policy=GuestPolicy.NONE),
                name="room_private_is_not_open_to_guests",
                violation_error_message="A private room is not open to guests.",
            ),
            models.CheckConstraint(
                condition=models.Q(slow_mode_seconds__lte=MAX_SLOW_MODE_SECONDS), name="room_slow_mode"
            ),
            models.CheckConstraint(
                condition=models.Q(last_seq__gte=0, first_seq__gte=1)
                & models.Q(first_seq__lte=models.F("last_seq") + 1),
                name="room_seq",
            ),
            models.UniqueConstraint(
                fields=["created_by", "client_id"],
                condition=models.Q(client_id__isnull=False),
                name="room_client_id",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_private(self) -> bool:
        """Whether it exists only for its members."""
        return self.kind == RoomKind.PRIVATE
