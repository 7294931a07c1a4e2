"""Coming back from anywhere: what is missing comes in order, or the client is told to load again."""

import uuid

import pytest

from chat.actions.drafts import Draft
from chat.actions.posting import post_messages
from chat.actions.sanctions import sanction_person
from tests.cast import Refused, cast, do, enter, member, session_for

pytestmark = [pytest.mark.timeout(120), pytest.mark.quick]
MAX_BEHIND = 500
MANY = 10_000
BATCH = 250


@pytest.fixture
def long_room(committed_db):
    """A room with a long log, and its people."""
    people = cast()
    for start in range(0, MANY, BATCH):
        post_messages(people.room.pk, [Draft(people.bob, uuid.uuid4(), f"{start + n}") for n in range(BATCH)])
    people.room.refresh_from_db()
    return people


async def test_from_every_distance(server, long_room):
    room, head = long_room.room.pk, long_room.room.last_seq
    session = await do(session_for, long_room.alice)
    first = await enter(server.socket_url, session, room)
    epoch = (await first.ask("room.open", room=room))["epoch"]
    for gap in (0, 1, 499, 500, 501, MANY):
        client = await enter(server.socket_url, session)
        answer = await client.ask("room.open", room=room, after=head - gap, epoch=epoch)
        assert (answer["resync"], answer["head"]) == (gap > MAX_BEHIND, head), gap
        if gap > MAX_BEHIND:
            await client.close()
            continue
        reply = await client.post(room, f"after a gap of {gap}")
        events = await client.until_seq(room, reply["seq"])
        assert [event["seq"] for event in events] == list(range(head - gap + 1, reply["seq"] + 1))
        head = reply["seq"]
        await client.close()


async def test_from_positions_that_do_not_exist(server, long_room):
    room, head = long_room.room.pk, long_room.room.last_seq
    client = await member(server.socket_url, long_room.alice)
    epoch = (await client.ask("room.open", room=room))["epoch"]
    for after, named in ((head, "another"), (head + 1, epoch), (head + 10**9, epoch), (0, epoch)):
        answer = await client.ask("room.open", room=room, after=after, epoch=named)
        assert (answer["resync"], answer["head"]) == (True, head), (after, named)
    with pytest.raises(Refused, match="invalid"):
        await client.ask("room.open", room=room, after=-1, epoch=epoch)


async def test_after_a_kick_nothing_comes(server, long_room):
    room, head = long_room.room.pk, long_room.room.last_seq
    client = await member(server.socket_url, long_room.bob, room)
    epoch = (await client.ask("room.open", room=room))["epoch"]
    await do(sanction_person, long_room.alice, long_room.bob.pk, kind="kick", room_id=room)
    await client.until(lambda c: any(frame["type"] == "room.closed" for frame in c.frames))
    again = await member(server.socket_url, long_room.bob)
    for one in (client, again):
        with pytest.raises(Refused, match="banned"):
            await one.ask("room.open", room=room, after=head - 3, epoch=epoch)
        assert one.events(room) == []
