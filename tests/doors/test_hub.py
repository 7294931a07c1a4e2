"""The hub in this process, on the real log: what it writes when, and what it asks the database for."""

import asyncio
import uuid

import pytest
from django.core.management import call_command

from chat.actions.members import leave_room, remove_member
from chat.actions.messages import delete_message
from chat.actions.posting import post_message
from chat.log import pack, read_after
from chat.realtime import rooms
from chat.realtime.hub import Hub
from chatproject.errors import AppError, Code
from chatproject.pool import DatabasePool
from tests.cast import cast, do

pytestmark = pytest.mark.usefixtures("committed_db")


class CountingPool(DatabasePool):
    """Counts its calls: none, no SQL."""

    calls = 0

    async def run(self, function, *args, **kwargs):
        self.calls += 1
        return await super().run(function, *args, **kwargs)


class Socket:
    """A connection that keeps what is written to it."""

    def __init__(self, user, *, fails=False):
        self.user = user
        self.user_id = user.pk if user else None
        self.credential = None
        self.rooms = set()
        self.closed = False
        self.outlet = self
        self.frames = []
        self.writes = []
        self._fails = fails

    @property
    def seqs(self):
        return [seq for seqs in self.writes for seq in seqs]

    def write(self, frame):
        self.frames.append(frame)

    def write_batch(self, batch):
        if self._fails:
            raise RuntimeError("a fault of one connection")
        self.writes.append([frame.event.seq for frame in batch._frames])

    def end(self, code, reason, retry_after=None):
        self.closed = True


@pytest.fixture
def people(committed_db):
    return cast()


@pytest.fixture
async def pool():
    return CountingPool(4, 2.0)


@pytest.fixture
async def hub(pool):
    return Hub(pool)


async def follow(hub, socket, room, after=None, epoch=None):
    subscription, reply = await hub.open(socket, room, after, epoch)
    hub.follow(subscription)
    return reply


async def write(people, *bodies):
    """Messages in the log, and their events as the hub is given them after a commit."""
    head = (await do(read_after, people.room.pk, 0, 1000))[-1].seq
    for body in bodies:
        await do(post_message, people.bob, people.room.pk, client_id=uuid.uuid4(), body=body)
    return await do(read_after, people.room.pk, head, 1000)


async def test_the_first_event_leaves_at_once_and_those_close_behind_leave_together(hub, people):
    room = people.room.pk
    reader = Socket(people.alice)
    await follow(hub, reader, room)
    first, second, third = await write(people, "1", "2", "3")
    hub.publish(room, [first])
    assert reader.writes == [[first.seq]]
    hub.publish(room, [second])
    hub.publish(room, [third])
    assert reader.writes == [[first.seq]]
    await until(lambda: len(reader.writes) == 2)
    assert reader.writes[1] == [second.seq, third.seq]


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - it waits for turns of the loop, not for time
            await asyncio.sleep(0)


async def test_one_who_comes_while_events_wait_gets_each_once(hub, people):
    room = people.room.pk
    early = Socket(people.alice)
    opened = await follow(hub, early, room)
    first, second = await write(people, "1", "2")
    hub.publish(room, [first])
    hub.publish(room, [second])
    late = Socket(people.alice)
    await follow(hub, late, room, after=opened["head"], epoch=opened["epoch"])
    assert early.writes == [[first.seq], [second.seq]]
    assert late.writes == [[first.seq, second.seq]]


async def test_events_that_wait_are_written_before_a_reader_is_put_in_doubt(hub, people):
    room = people.room.pk
    bob, alice = Socket(people.bob), Socket(people.alice)
    for socket in (bob, alice):
        await follow(hub, socket, room)
    first, second = await write(people, "1", "2")
    hub.publish(room, [first])
    hub.publish(room, [second])
    await do(leave_room, people.bob, room)
    (left,) = await do(read_after, room, second.seq, 10)
    hub.publish(room, [left])
    assert bob.writes == [[first.seq], [second.seq]]
    # The room is public: asked again, it stays theirs, and what was held back follows.
    await until(lambda: bob.writes[-1] == [left.seq] and alice.writes[-1] == [left.seq])


async def test_a_socket_that_fails_keeps_nothing_from_the_others(hub, people):
    room = people.room.pk
    sockets = [Socket(people.alice), Socket(people.bob, fails=True), Socket(people.olga)]
    for socket in sockets:
        await follow(hub, socket, room)
    (event,) = await write(people, "to all")
    hub.publish(room, [event])
    assert [socket.writes for socket in sockets] == [[[event.seq]], [], [[event.seq]]]


async def test_a_wave_of_reconnects_costs_no_sql(hub, people, pool):
    room = people.room.pk
    everyone = [people.alice, people.bob, people.olga, people.gil, None]
    before = [Socket(user) for user in everyone]
    opened = [await follow(hub, socket, room) for socket in before]
    for socket in before:
        hub.close_all(socket)
    missed = await write(people, "1", "2", "3")
    hub.publish(room, missed)
    asked = pool.calls
    after = [Socket(user) for user in everyone]
    replies = await asyncio.gather(
        *(
            follow(hub, socket, room, after=reply["head"], epoch=reply["epoch"])
            for socket, reply in zip(after, opened, strict=True)
        )
    )
    assert pool.calls == asked
    assert [socket.writes for socket in after] == [[[event.seq for event in missed]]] * len(everyone)
    assert not any(reply["resync"] for reply in replies)


async def test_someone_removed_meanwhile_is_not_let_in_from_memory(hub, committed_db):
    people = await do(cast, kind="private")
    room = people.room.pk
    bob, alice = Socket(people.bob), Socket(people.alice)
    opened = await follow(hub, bob, room)
    await follow(hub, alice, room)
    hub.close_all(bob)
    await do(remove_member, people.alice, room, people.bob.pk)
    hub.publish(room, await do(read_after, room, opened["head"], 10))
    with pytest.raises(AppError) as refused:
        await hub.open(Socket(people.bob), room, opened["head"], opened["epoch"])
    assert refused.value.code == Code.NOT_FOUND
    # Of those who stay nobody is asked for again.
    await follow(hub, Socket(people.alice), room, after=opened["head"], epoch=opened["epoch"])


async def test_a_stranger_is_not_let_in_from_the_memory_of_others(hub, committed_db):
    people = await do(cast, kind="private")
    await follow(hub, Socket(people.bob), people.room.pk)
    for outsider in (people.dave, None):
        with pytest.raises(AppError) as refused:
            await hub.open(Socket(outsider), people.room.pk, None, None)
        assert refused.value.code == Code.NOT_FOUND


async def test_a_room_without_readers_is_kept_for_a_while_and_not_too_many_of_them(
    hub, people, pool, monkeypatch
):
    monkeypatch.setattr(rooms, "MAX_LINGERING", 1)
    other = await do(cast)
    reader = Socket(people.alice)
    for room in (people.room.pk, other.room.pk):
        await follow(hub, reader, room)
        hub.close_all(reader)
    asked = pool.calls
    await follow(hub, reader, other.room.pk)
    assert pool.calls == asked
    await follow(hub, reader, people.room.pk)
    assert pool.calls > asked


async def test_a_room_nobody_comes_back_to_is_forgotten(hub, people, pool, monkeypatch):
    monkeypatch.setattr(rooms, "LINGER_SECONDS", 0)
    reader = Socket(people.alice)
    await follow(hub, reader, people.room.pk)
    hub.close_all(reader)
    await until(lambda: hub._rooms.get(people.room.pk) is None)


async def test_another_epoch_makes_the_memory_worthless(hub, people):
    room = people.room.pk
    reader = Socket(people.alice)
    opened = await follow(hub, reader, room)
    hub.close_all(reader)
    await do(call_command, "new_epoch")
    await hub._heal()
    again = await follow(hub, reader, room, after=opened["head"], epoch=opened["epoch"])
    assert again["resync"] and again["epoch"] != opened["epoch"]


def bell_of(hub, room, events, **changes):
    """What another process would ring."""
    copies = [pack([event]) for event in events]
    bell = {"type": "event", "room": room, "seq": events[-1].seq, "origin": "another"}
    return bell | {"epoch": hub._rooms.epoch, "events": copies} | changes


async def test_the_copies_of_a_bell_are_delivered_without_a_look_into_the_log(hub, people, pool):
    room = people.room.pk
    reader = Socket(people.alice)
    await follow(hub, reader, room)
    events = await write(people, "1", "2")
    asked = pool.calls
    hub._answer(bell_of(hub, room, events))
    await until(lambda: reader.seqs == [event.seq for event in events])
    hub._answer(bell_of(hub, room, events))
    hub.publish(room, events)
    assert pool.calls == asked
    assert reader.seqs == [event.seq for event in events]


@pytest.mark.parametrize("fault", ["another epoch", "a gap", "no copies", "a plain bell"])
async def test_a_bell_whose_copies_cannot_be_used_still_rings(hub, people, fault):
    room = people.room.pk
    reader = Socket(people.alice)
    await follow(hub, reader, room)
    events = await write(people, "1", "2")
    bell = bell_of(hub, room, events)
    if fault == "another epoch":
        bell["epoch"] = "0" * 16
    elif fault == "a gap":
        bell["events"] = bell["events"][1:]
    elif fault == "no copies":
        bell["events"] = []
    else:  # of a process without an event loop
        bell = {"type": "event", "room": room, "seq": events[-1].seq}
    hub._answer(bell)
    await until(lambda: reader.seqs == [event.seq for event in events])


async def test_a_copy_of_a_text_that_was_deleted_meanwhile_reaches_nobody(hub, people):
    room = people.room.pk
    reader = Socket(people.alice)
    await follow(hub, reader, room)
    (posted,) = await write(people, "unsaid")
    late = bell_of(hub, room, [posted])
    await do(delete_message, people.alice, posted.message_id)
    hub._answer({"type": "event", "room": room, "seq": posted.seq + 1})
    await until(lambda: reader.seqs == [posted.seq, posted.seq + 1])
    hub._answer(late)
    newcomer = Socket(people.bob)
    await follow(hub, newcomer, room, after=posted.seq - 1, epoch=hub._rooms.epoch)
    shown = b"".join(frame.json for frame in hub._rooms.get(room).feed._frames)
    assert b"unsaid" not in shown and len(newcomer.writes) == 1
