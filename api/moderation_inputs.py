"""What the endpoints of moderators and of reports take."""

from rest_framework import serializers

from api.inputs import MAX_ID, MAX_PAGE, Input, Text, Uuid, Whole
from chat.desk import WAITING
from chat.models import MAX_REASON_CHARS, Category, Outcome, ReportState, SanctionKind

MAX_SANCTION_MINUTES = 60 * 24 * 366 * 10


class Reason(Input):
    """Why a moderator does it: from the list, and in their own words."""

    category = serializers.ChoiceField(Category.choices, required=False)
    reason = Text(required=False, allow_blank=True, max_length=MAX_REASON_CHARS)


class NewReport(Input):
    """What is wrong, and anything a moderator should know."""

    category = serializers.ChoiceField(Category.choices)
    text = Text(required=False, allow_blank=True, max_length=MAX_REASON_CHARS)
    client_id = Uuid(required=False)


class NewPersonReport(NewReport):
    """``room`` is where it happened."""

    room = Whole(required=False, min_value=1)


class QueueQuery(Input):
    """``cursor`` is ``next`` of the page before; ``room`` leaves the other rooms out."""

    room = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    cursor = serializers.IntegerField(required=False, min_value=0, max_value=MAX_ID)
    limit = serializers.IntegerField(default=50, min_value=1, max_value=MAX_PAGE)


class ReportQuery(QueueQuery):
    # "waiting" stands for all that are not decided.
    state = serializers.ChoiceField([*ReportState.choices, (WAITING, "Not decided")], required=False)


class SanctionQuery(QueueQuery):
    user = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)


class NewSanction(Reason):
    """In one room, or everywhere without one; for ``minutes``, or for ever without."""

    user = Whole(min_value=1)
    client_id = Uuid(required=False)
    kind = serializers.ChoiceField(SanctionKind.choices)
    room = Whole(required=False, allow_null=True, min_value=1)
    minutes = Whole(required=False, allow_null=True, min_value=1, max_value=MAX_SANCTION_MINUTES)


class CleanUp(Reason):
    """Bans and removes what was written in the last ``hours``."""

    user = Whole(min_value=1)
    room = Whole(required=False, allow_null=True, min_value=1)
    minutes = Whole(required=False, allow_null=True, min_value=1, max_value=MAX_SANCTION_MINUTES)
    client_id = Uuid(required=False)
    hours = Whole(min_value=1, max_value=24 * 366)


class Assignment(Input):
    """Who takes the report; null puts it back."""

    assignee = Whole(allow_null=True, min_value=1)


class Decision(Reason):
    outcome = serializers.ChoiceField(Outcome.choices)


class SeenMark(Input):
    """The id of the last notice that was shown."""

    up_to = Whole()
