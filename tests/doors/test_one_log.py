"""One log everywhere: a scenario read through socket, stream, REST and webhook is one ordered list."""

import uuid

import httpx
import pytest
from django.test import override_settings

from api.webhooks import actions as webhooks
from api.webhooks import delivering
from chat.actions.holding import approve_held
from chat.actions.members import change_role, join_room, leave_room
from chat.actions.messages import delete_message, edit_message, restore_message
from chat.actions.posting import post_message
from chat.actions.rooms import RoomChanges, archive_room, reopen_room, update_room
from chat.actions.sanctions import lift_sanction, sanction_person
from chat.models import HeldMessage, Kind
from tests.cast import cast, do, member, session_for
from tests.doors.test_streams import opened
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("committed_db")


def everything_happens(people):
    """Something of each kind; the head afterwards."""
    room, olga = people.room.pk, people.olga
    said = post_message(people.bob, room, client_id=uuid.uuid4(), body="one").message_id
    edit_message(people.bob, said, body="two")
    delete_message(people.alice, said)
    restore_message(people.alice, said)
    update_room(olga, room, RoomChanges(guest_policy="approval"))
    post_message(people.gil, room, client_id=uuid.uuid4(), body="May I?")
    approve_held(people.alice, HeldMessage.objects.get(room_id=room).pk)
    change_role(olga, room, people.bob.pk, role="moderator")
    mute = sanction_person(olga, people.bob.pk, kind="mute", room_id=room)
    lift_sanction(olga, mute.pk)
    leave_room(people.carol, room)
    join_room(people.dave, room)
    archive_room(olga, room)
    reopen_room(olga, room)
    people.room.refresh_from_db()
    return people.room.last_seq


def places(events):
    """What of an event is the same whenever it is read."""
    return [(e["room"], e["seq"], e["kind"], e["at"], e["actor"]) for e in events]


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


async def test_every_door_tells_the_same_story(server, receiver):
    people = await do(cast)
    room, head = people.room.pk, people.room.last_seq
    with override_settings(WEBHOOK_TRUSTED_NETWORKS=["127.0.0.0/8"]):
        webhook, _ = await do(webhooks.create_webhook, people.olga, room_id=room, url=receiver.url)
        socket = await member(server.socket_url, people.olga, room)
        async with httpx.AsyncClient(timeout=20) as http:
            stream = await opened(http, server, people.olga, room)
            last = await do(everything_happens, people)
            by_socket = await socket.until_seq(room, last)
            by_stream = await stream.until_seq(room, last)
            cookies = {"session": await do(session_for, people.olga)}
            url = f"{server.url}/api/v1/rooms/{room}/events?after={head}"
            by_rest = (await http.get(url, cookies=cookies)).json()["results"]
            await stream.close()
        await do(delivering.deliver, webhook.pk)
    by_webhook = [body["data"] for body in receiver.bodies()]
    assert places(by_socket) == places(by_stream) == places(by_rest) == places(by_webhook)
    assert {event["kind"] for event in by_rest} == set(Kind.values)
