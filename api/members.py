"""Who belongs to a room."""

from typing import Any

from api import inputs
from api.authentication import person, signed_in
from api.door import Door, operation
from api.moderation import why
from api.moderation_inputs import Reason
from api.outputs import MemberPage, member_payload
from chat import access
from chat.actions.members import add_member, change_role, join_room, leave_room, remove_member
from chat.models import Membership
from chat.payloads import MemberPayload


class Members(Door):
    """All members of a room."""

    @operation("member_list", scope="members:read", answer=MemberPage, query=inputs.MemberQuery)
    def get(self, given: dict[str, Any], *, room_id: int) -> MemberPage:
        """The members, the earliest first."""
        room = access.room_for(person(self.request), room_id).room
        limit = given["limit"]
        later = Membership.objects.filter(room=room, pk__gt=given["cursor"]).select_related("user")
        found = list(later.order_by("pk")[: limit + 1])
        page = found[:limit]
        return MemberPage(list(map(member_payload, page)), page[-1].pk if len(found) > limit else None)

    @operation(
        "member_add", scope="members:write", answer=MemberPayload, statuses=(201,), body=inputs.NewMember
    )
    def post(self, given: dict[str, Any], *, room_id: int) -> MemberPayload:
        """Adds someone by name, by an owner; plain members also by a moderator."""
        return member_payload(add_member(signed_in(self.request.user), room_id, **given))


class MyMembership(Door):
    """The caller in a room."""

    @operation("member_join", scope="members:write", answer=MemberPayload)
    def put(self, _given: dict[str, Any], *, room_id: int) -> MemberPayload:
        """Joins a public room; a member stays what they are."""
        return member_payload(join_room(signed_in(self.request.user), room_id))

    @operation("member_leave", scope="members:write", statuses=(204,))
    def delete(self, _given: dict[str, Any], *, room_id: int) -> None:
        """Leaves the room. Its last owner makes someone else an owner first (conflict)."""
        leave_room(signed_in(self.request.user), room_id)


class OneMember(Door):
    """Someone else in a room."""

    @operation("member_update", scope="members:write", answer=MemberPayload, body=inputs.RoleChange)
    def patch(self, given: dict[str, Any], *, room_id: int, user_id: int) -> MemberPayload:
        """Changes a role, by an owner."""
        return member_payload(change_role(signed_in(self.request.user), room_id, user_id, role=given["role"]))

    @operation("member_remove", scope="moderation:write", statuses=(204,), body=Reason)
    def delete(self, given: dict[str, Any], *, room_id: int, user_id: int) -> None:
        """Kicks someone, by a moderator; moderators are kicked by an owner. They may come back later."""
        remove_member(signed_in(self.request.user), room_id, user_id, why=why(given))
