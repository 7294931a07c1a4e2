"""The forms of the desk: reasons, sanctions, and forms whose last check is the action itself."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Model, QuerySet

from accounts.models import User
from chat import access
from chat.admin.base import add_refusal
from chat.audit import Why
from chat.models import MAX_REASON_CHARS, Category, Membership, Report, Room, SanctionKind
from chatproject.database import clock
from chatproject.errors import AppError

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm

LASTS: dict[str, tuple[str, timedelta | None]] = {
    "5m": ("5 minutes", timedelta(minutes=5)),
    "1h": ("1 hour", timedelta(hours=1)),
    "6h": ("6 hours", timedelta(hours=6)),
    "1d": ("1 day", timedelta(days=1)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
    "365d": ("1 year", timedelta(days=365)),
    "forever": ("For ever, until it is lifted", None),
}
SINCE: dict[str, tuple[str, timedelta]] = {
    "1h": ("of the last hour", timedelta(hours=1)),
    "1d": ("of the last day", timedelta(days=1)),
    "7d": ("of the last 7 days", timedelta(days=7)),
    "30d": ("of the last 30 days", timedelta(days=30)),
    "all": ("of all time", timedelta(days=36500)),
}
EVERYWHERE, HERE = "everywhere", "here"


def until(lasts: str) -> datetime | None:
    """The end of what begins now and ``lasts`` so long; None for ever."""
    span = LASTS[lasts][1]
    return clock() + span if span else None


def since(span: str) -> datetime:
    """The moment so long ago, by the database's clock."""
    return clock() - SINCE[span][1]


def why_of(data: dict[str, Any]) -> Why:
    """The reason from a form's fields."""
    return Why(data.get("category", ""), data.get("text", ""))


class NoteForm(forms.Form):
    """The moderator's own words, for the audit."""

    text = forms.CharField(
        label="Note", required=False, max_length=MAX_REASON_CHARS, help_text="For the audit; may stay empty."
    )


class ReasonForm(forms.Form):
    """Why: a reason from the list, and words of one's own. Who it is about is told both."""

    category = forms.ChoiceField(
        label="Reason", required=False, choices=[("", "No reason given"), *Category.choices]
    )
    text = forms.CharField(
        label="In your words", required=False, max_length=MAX_REASON_CHARS, help_text="The person reads this."
    )


class PlacedForm(ReasonForm):
    """Where something holds: in the room it is about, or everywhere."""

    place = forms.ChoiceField(label="Where", choices=[])
    lasts = forms.ChoiceField(
        label="How long", initial="1d", choices=[(key, words) for key, (words, _) in LASTS.items()]
    )
    field_order = ("kind", "place", "lasts", "since", "category", "text")

    def __init__(self, *args: Any, room: Room | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.room = room
        places = [(EVERYWHERE, "Everywhere")]
        if room is not None:
            places.insert(0, (HERE, f"In {room.name}"))
        place = self.fields["place"]
        assert isinstance(place, forms.ChoiceField)  # noqa: S101
        place.choices = places
        if room is None:
            place.initial, place.widget = EVERYWHERE, forms.HiddenInput()

    def room_id(self) -> int | None:
        """The room that was chosen, None for everywhere."""
        return self.room.pk if self.room is not None and self.cleaned_data["place"] == HERE else None


class SanctionForm(PlacedForm):
    """A sanction of someone who is known already."""

    kind = forms.ChoiceField(label="What", choices=SanctionKind.choices, initial=SanctionKind.MUTE)

    def until(self) -> datetime | None:
        """A warning has no end: it forbids nothing."""
        is_warning = self.cleaned_data["kind"] == SanctionKind.WARN
        return None if is_warning else until(self.cleaned_data["lasts"])


class CleanUpForm(PlacedForm):
    """A ban, and from when on what they wrote goes with it."""

    since = forms.ChoiceField(
        label="Hide their messages", initial="1d", choices=[(key, words) for key, (words, _) in SINCE.items()]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lasts"].initial = "forever"


class AssigneeForm(forms.Form):
    """Somebody of staff or of the room's moderators; whether they may decide is the action's to say."""

    assignee: "forms.ModelChoiceField[User]"

    def __init__(self, *args: Any, report: Report, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = able_to_decide(report)
        self.fields["assignee"] = forms.ModelChoiceField(people, label="To", empty_label="Choose someone")


def able_to_decide(report: Report) -> QuerySet[User]:
    """Whom a report may be given to: staff, and the moderators of its room."""
    from chat.models import Role

    of_room = Membership.objects.filter(room=report.room, role__in=[Role.OWNER, Role.MODERATOR])
    staff = User.objects.filter(is_active=True, is_staff=True)
    moderators = User.objects.filter(is_active=True, pk__in=of_room.values("user"))
    people = (staff | moderators) if report.room_id else staff
    return people.exclude(pk=report.subject_id or 0).order_by("display_name").distinct()


class PlaceForm(forms.Form):
    """A person and a room, found by typing."""

    person = forms.ModelChoiceField(
        User.objects.all(),
        widget=AutocompleteSelect(Membership._meta.get_field("user"), admin.site),
    )
    room = forms.ModelChoiceField(
        Room.objects.all(),
        widget=AutocompleteSelect(Membership._meta.get_field("room"), admin.site),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rooms = self.fields["room"]
        assert isinstance(rooms, forms.ModelChoiceField)  # noqa: S101
        rooms.queryset = access.rooms_reached_by(user)


class ActionForm(ModelForm):
    """A form of the admin whose last check is the action: what that refuses is told at the fields.

    The admin sets ``actor``. ``is_dry`` checks the fields alone.
    """

    actor: User
    is_dry = False

    def carry_out(self, data: dict[str, Any]) -> Model:
        """Calls the action; the row that it made or changed."""
        raise NotImplementedError

    def _post_clean(self) -> None:
        """In the place of the model's own checks: the action makes them, under its locks."""
        if self.errors or self.is_dry:
            return
        try:
            self.instance = self.carry_out(self.cleaned_data)
        except AppError as refusal:
            add_refusal(self, refusal)


class ReasonedForm(ActionForm):
    """An ``ActionForm`` that asks why."""

    category = forms.ChoiceField(
        label="Reason", required=False, choices=[("", "No reason given"), *Category.choices]
    )
    text = forms.CharField(label="Note", required=False, max_length=MAX_REASON_CHARS)
