"""Messages of a room, and one message."""

from typing import Any
from uuid import uuid4

from rest_framework.response import Response

from accounts.models import User
from api import inputs
from api.authentication import person, signed_in
from api.door import Door, operation
from api.limiting import take
from api.moderation import HeldPage, why
from api.moderation_inputs import Reason
from api.outputs import RevisionList, RevisionPayload
from chat import access
from chat.actions.drafts import Held
from chat.actions.messages import delete_message, edit_message, restore_message
from chat.actions.posting import post_message
from chat.models import MessageRevision
from chat.payloads import HeldPayload, MessagePayload, instant, message_payload
from chat.snapshots import MessagePage, held_of, held_of_client_id, message_page
from chatproject.errors import AppError, Code
from chatproject.limits import SENDS_PER_PERSON


class Messages(Door):
    """The messages of a room."""

    @operation(
        "message_list", scope="messages:read", answer=(MessagePage, HeldPage), query=inputs.MessageQuery
    )
    def get(self, given: dict[str, Any], *, room_id: int) -> MessagePage | HeldPage:
        """A page, oldest first, with the seq and epoch from which the log goes on.

        With ``held=mine`` the caller's messages that wait for a moderator.
        """
        if given.pop("held", None):
            user = signed_in(self.request.user)
            access.room_for(user, room_id)
            return HeldPage(held_of(user, room_id))
        return message_page(person(self.request), room_id, **given)

    @operation(
        "message_post",
        scope="messages:write",
        answer=(MessagePayload, HeldPayload),
        statuses=(201, 200, 202),
        body=inputs.NewMessage,
    )
    def post(self, given: dict[str, Any], *, room_id: int) -> Response:
        """Sends a message. A ``client_id`` used before answers 200 with the message sent then.

        202 and the held message where it waits for a moderator.
        """
        user = signed_in(self.request.user)
        take(self.request, SENDS_PER_PERSON, user.pk)
        draft = {"client_id": uuid4(), **given}
        posted = post_message(user, room_id, **draft)
        if isinstance(posted, Held):
            return Response(held_of_client_id(user, room_id, draft["client_id"]), 202)
        return Response(_as_it_is(user, posted.message_id), 200 if posted.replayed else 201)


class OneMessage(Door):
    """One message."""

    @operation("message_get", scope="messages:read", answer=MessagePayload)
    def get(self, _given: dict[str, Any], *, message_id: int) -> MessagePayload:
        """The message as it is now."""
        return _as_it_is(person(self.request), message_id)

    @operation("message_edit", scope="messages:write", answer=MessagePayload, body=inputs.MessageChange)
    def patch(self, given: dict[str, Any], *, message_id: int) -> MessagePayload:
        """Replaces the text, by its author."""
        user = signed_in(self.request.user)
        edit_message(user, message_id, body=given["body"])
        return _as_it_is(user, message_id)

    @operation("message_delete", scope="messages:write", statuses=(204,), body=Reason)
    def delete(self, given: dict[str, Any], *, message_id: int) -> None:
        """Takes the message away, by its author or a moderator. It keeps its place.

        Its author is told a moderator's reason.
        """
        delete_message(signed_in(self.request.user), message_id, why=why(given))


class Revisions(Door):
    """What a message said before."""

    @operation("message_revisions", scope="messages:read", answer=RevisionList)
    def get(self, _given: dict[str, Any], *, message_id: int) -> RevisionList:
        """For its author and those who moderate; nobody else is shown what was edited away."""
        message, standing = access.message_for(person(self.request), message_id)
        if not access.may_see_revisions(standing, message):
            raise AppError(Code.FORBIDDEN)
        found = MessageRevision.objects.filter(message=message).order_by("pk")
        texts = [RevisionPayload(row.body, instant(row.written_at)) for row in found]
        now = RevisionPayload(message.body, instant(message.edited_at or message.created_at))
        return RevisionList([*texts, now])


class Restoration(Door):
    """Bringing a message back."""

    @operation("message_restore", scope="messages:write", answer=MessagePayload)
    def post(self, _given: dict[str, Any], *, message_id: int) -> MessagePayload:
        """Brings a deleted message back, by a moderator or by the author who took it away."""
        user = signed_in(self.request.user)
        restore_message(user, message_id)
        return _as_it_is(user, message_id)


def _as_it_is(user: User | None, message_id: int) -> MessagePayload:
    return message_payload(access.message_for(user, message_id)[0])
