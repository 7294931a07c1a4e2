"""What every change that can be taken back shares: its reason, its place in the audit, its state.

A change is recorded with the state ``before`` and ``after``. Taking it back puts ``before``, if the state is
still ``after``, and is a change of the same kind with the two exchanged: so it can be taken back too.
"""

from typing import Any

from django.utils.translation import gettext as _

from chat.audit import Why
from chat.models import MAX_REASON_CHARS, Category
from chatproject.errors import AppError, Code
from chatproject.lines import plain_line


def checked(why: Why | None) -> Why:
    """``why`` with a category from the list and its words in one line. Raises AppError INVALID."""
    why = why or Why()
    category = why.category or Category.OTHER
    text = plain_line(why.text)
    if category not in Category.values:
        raise AppError(Code.INVALID, fields={"category": [_("This is not a reason from the list.")]})
    if len(text) > MAX_REASON_CHARS:
        words = _("At most %(count)s characters.") % {"count": MAX_REASON_CHARS}
        raise AppError(Code.INVALID, fields={"reason": [words]})
    return Why(category, text)


def check_unchanged(now: Any, expected: Any) -> None:
    """Raises AppError CONFLICT when something has changed since the action that is to be taken back."""
    if now != expected:
        raise AppError(Code.CONFLICT, _("It has changed since."))
