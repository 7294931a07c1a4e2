"""The form for a new room."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import Card
from chat.models import GuestPolicy, RoomKind


class NewRoomForm(Card):
    """Asks what a room needs to begin; the rules themselves stand in the action."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(attrs={"dir": "auto"}))
    topic = forms.CharField(
        label=_("Topic"), max_length=250, required=False, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    kind = forms.ChoiceField(
        label=_("Who may come in"),
        choices=[
            (RoomKind.PUBLIC, _("Everyone with an account")),
            (RoomKind.PRIVATE, _("Only those you add")),
        ],
    )
    guest_policy = forms.ChoiceField(
        label=_("Guests, in a room for everyone"),
        choices=[
            (GuestPolicy.NONE, _("Stay outside")),
            (GuestPolicy.READ, _("May read")),
            (GuestPolicy.WRITE, _("May read and write")),
        ],
    )
