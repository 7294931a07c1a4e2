"""The rules by which messages are looked at before they go out, and what these have found."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from chat.models.message import Message
from chat.models.room import Room

MAX_MUTE_MINUTES = 60 * 24 * 365


class RuleKind(models.TextChoices):
    """What a rule looks for; see ``chat.text.automod``."""

    WORDS = "words", "Words and phrases"
    PATTERN = "pattern", "A pattern (RE2)"
    LINKS_DENIED = "links_denied", "Links to these sites"
    LINKS_ALLOWED = "links_allowed", "Links to any other site than these"
    FIRST_LINKS = "first_links", "Links in someone's first messages"
    MENTIONS = "mentions", "More mentions than"
    EMOJI = "emoji", "More emoji than"
    REPETITION = "repetition", "The same text again"
    FLOOD = "flood", "Many messages in a short time"


class RuleAction(models.TextChoices):
    """What happens to a message that matches, the strictest first."""

    HOLD = "hold", "Hold it for a moderator"
    MUTE = "mute", "Hold it, and mute the author"
    HIDE = "hide", "Let it through hidden"
    WARN = "warn", "Let it through, and warn the author"
    REPORT = "report", "Let it through, and report it"


class AutomodRule(models.Model):
    """One rule, for one room or all. A removed one stays, so that removal can be undone.

    ``words`` has a word, phrase or domain a line. ``threshold`` and ``seconds`` mean what the kind says.
    """

    name = models.CharField(max_length=80)
    room = models.ForeignKey(
        Room,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Empty: all rooms.",
    )
    kind = models.CharField(max_length=16, choices=RuleKind)
    words = models.TextField(blank=True, help_text="One word, phrase or domain a line.")
    pattern = models.CharField(max_length=500, blank=True)
    threshold = models.PositiveIntegerField(default=0)
    seconds = models.PositiveIntegerField(default=0)
    action = models.CharField(max_length=16, choices=RuleAction, default=RuleAction.HOLD)
    mute_minutes = models.PositiveIntegerField(default=10)
    live = models.BooleanField(default=False)
    removed_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        default_permissions = ("view",)
        permissions = [("manage_automod", "Can write automod rules and make them live")]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="rule_has_name"),
            models.CheckConstraint(condition=models.Q(kind__in=RuleKind.values), name="rule_kind"),
            models.CheckConstraint(condition=models.Q(action__in=RuleAction.values), name="rule_action"),
            models.CheckConstraint(
                condition=models.Q(mute_minutes__gte=1, mute_minutes__lte=MAX_MUTE_MINUTES),
                name="rule_mute_minutes",
            ),
            models.CheckConstraint(
                condition=models.Q(removed_at__isnull=True) | models.Q(live=False), name="rule_removed_rests"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AutomodHit(models.Model):
    """A rule matched a message: what happened then. ``message`` or ``held`` is what became of it."""

    rule = models.ForeignKey(AutomodRule, on_delete=models.CASCADE, related_name="hits", db_index=False)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+", db_index=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    message = models.ForeignKey(
        Message, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    held = models.ForeignKey(
        "HeldMessage", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    action = models.CharField(max_length=16, choices=RuleAction)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["rule", "-id"], name="hit_by_rule"),
            models.Index(fields=["author", "-id"], name="hit_by_author"),
            models.Index(fields=["room", "-id"], name="hit_by_room"),
        ]

    def __str__(self) -> str:
        return f"hit of rule {self.rule_id}"


class Ruleset(models.Model):
    """A single row: every change of a live rule raises ``version``, and every send compares it."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    version = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="ruleset_single")]

    def __str__(self) -> str:
        return str(self.version)
