"""What each endpoint takes. A field that is not named here is refused."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from chat.models import GuestPolicy, Role, RoomKind
from chat.models.room import MAX_SLOW_MODE_SECONDS
from chatproject.errors import AppError, Code

MAX_ID = 2**63 - 1
MAX_PAGE = 100


class Text(serializers.CharField):
    """A string as it was sent; NUL and half surrogate pairs are refused by REST framework."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A JSON number without a fraction, within 64 bits."""

    def __init__(self, *, min_value: int = 0, max_value: int = MAX_ID, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **options)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """true or false, and nothing like them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Uuid(serializers.UUIDField):
    """A UUID in text."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class Input(serializers.Serializer[Any]):
    """The fields of one endpoint."""


class Nothing(Input):
    """No field at all."""


class NewGuest(Input):
    display_name = Text()


class Password(Input):
    """``username`` is the username or the e-mail address."""

    username = Text()
    password = Text()


class Refresh(Input):
    refresh = Text()


class Revocation(Input):
    """An access or a refresh token."""

    token = Text()


class ProfileChange(Input):
    display_name = Text()


class RoomQuery(Input):
    """``cursor`` is ``next`` of the page before."""

    slug = serializers.CharField(required=False, max_length=64)
    cursor = serializers.RegexField(r"^[01]\.[0-9]{1,18}\.[0-9]{1,18}$", required=False)
    limit = serializers.IntegerField(default=MAX_PAGE, min_value=1, max_value=MAX_PAGE)


class RoomNumbers(serializers.CharField):
    """Ids of rooms with commas between them, at most MAX_PAGE."""

    def to_internal_value(self, data: Any) -> Any:
        parts = super().to_internal_value(data).split(",")
        if len(parts) > MAX_PAGE or not all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
            self.fail("invalid")
        return [int(part) for part in parts]


class HeadsQuery(Input):
    """``rooms`` are ids with commas between them, at most 100."""

    rooms = RoomNumbers()


class NewRoom(Input):
    name = Text()
    topic = Text(required=False, allow_blank=True)
    kind = serializers.ChoiceField(RoomKind.choices, required=False)
    guest_policy = serializers.ChoiceField(GuestPolicy.choices, required=False)
    slug = Text(required=False)
    client_id = Uuid(required=False)


class RoomChange(Input):
    """What is left out stays as it is. ``archived`` closes the room and opens it again."""

    name = Text(required=False)
    topic = Text(required=False, allow_blank=True)
    kind = serializers.ChoiceField(RoomKind.choices, required=False)
    guest_policy = serializers.ChoiceField(GuestPolicy.choices, required=False)
    slow_mode = Whole(required=False, max_value=MAX_SLOW_MODE_SECONDS)
    hide_after_reports = Whole(required=False, max_value=1000)
    archived = Flag(required=False)


class MessageQuery(Input):
    """One of ``before``, ``after`` and ``around``, which are seqs; without any the newest.

    ``held=mine`` answers the caller's messages that wait for a moderator, and takes no position.
    """

    before = serializers.IntegerField(required=False, min_value=0, max_value=MAX_ID)
    after = serializers.IntegerField(required=False, min_value=0, max_value=MAX_ID)
    # One less: a page around a seq begins with the seq after it.
    around = serializers.IntegerField(required=False, min_value=0, max_value=MAX_ID - 1)
    limit = serializers.IntegerField(default=50, min_value=1, max_value=MAX_PAGE)
    # The caller's own messages that wait for a moderator, in the place of a page.
    held = serializers.ChoiceField(["mine"], required=False)


class NewMessage(Input):
    client_id = Uuid(required=False)
    body = Text(allow_blank=True)
    reply_to = Whole(required=False, allow_null=True, min_value=1)


class MessageChange(Input):
    body = Text(allow_blank=True)


class EventQuery(Input):
    """``after`` is the last seq that was applied, ``epoch`` the one it belongs to."""

    after = serializers.IntegerField(default=0, min_value=0, max_value=MAX_ID)
    epoch = serializers.CharField(required=False, max_length=64)
    limit = serializers.IntegerField(default=MAX_PAGE, min_value=1, max_value=MAX_PAGE)


class MemberQuery(Input):
    """``cursor`` is ``next`` of the page before."""

    cursor = serializers.IntegerField(default=0, min_value=0, max_value=MAX_ID)
    limit = serializers.IntegerField(default=50, min_value=1, max_value=MAX_PAGE)


class NewMember(Input):
    display_name = Text()
    role = serializers.ChoiceField(Role.choices, required=False)


class RoleChange(Input):
    role = serializers.ChoiceField(Role.choices)


class ReadMark(Input):
    seq = Whole()


def parse_input(raw: Any, kind: type[Input]) -> dict[str, Any]:
    """The checked fields of ``kind``. Raises AppError INVALID with ``fields``."""
    if not isinstance(raw, Mapping):
        raise AppError(Code.INVALID, "Send a JSON object.")
    serializer = kind(data=raw)
    unknown = sorted(set(raw) - set(serializer.fields))
    if unknown:
        raise AppError(Code.INVALID, fields={name: ["This field is unknown."] for name in unknown})
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
