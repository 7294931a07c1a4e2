"""Why: the list from which reports and moderators choose."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Category(models.TextChoices):
    """What is wrong with a message, a person or a room."""

    SPAM = "spam", _("Spam or advertising")
    HARASSMENT = "harassment", _("Harassment or bullying")
    HATE = "hate", _("Hate")
    VIOLENCE = "violence", _("Threats or violence")
    SEXUAL = "sexual", _("Sexual content")
    PRIVACY = "privacy", _("Private information of others")
    IMPERSONATION = "impersonation", _("Pretending to be someone else")
    ILLEGAL = "illegal", _("Against the law")
    OFF_TOPIC = "off_topic", _("Off topic")
    OTHER = "other", _("Something else")


MAX_REASON_CHARS = 500


def reason_given(category: str, text: str) -> str:
    """A reason for the person it is about: from the list, with the moderator's words if there are any."""
    label = str(Category(category).label) if category in Category.values else ""
    return ": ".join(part for part in (label, text) if part)
