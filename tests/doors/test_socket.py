"""The socket as a client meets it."""

import asyncio
import json
import secrets
import uuid

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from accounts import tokens
from accounts.actions.accounts import set_password
from accounts.actions.revocation import deactivate, end_all_credentials, end_credential
from accounts.credentials import SESSION, Credential, issue_ticket
from chat.actions.members import remove_member
from chat.actions.messages import delete_message
from chat.actions.posting import post_message
from chat.actions.rooms import RoomChanges, update_room
from chat.models import Message, RoomEvent
from chatproject.limits import SENDS_PER_PERSON, SOCKETS_PER_ADDRESS, SOCKETS_PER_PERSON
from tests.cast import Refused, cast, connect, do, enter, member, session_for, use_up

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def people(committed_db):
    return cast()


async def test_a_message_reaches_sender_and_reader_alike(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    alice = await member(server.socket_url, people.alice, room)
    reply = await bob.post(room, "hello **you**")
    mine = await bob.until_seq(room, reply["seq"])
    assert mine == await alice.until_seq(room, reply["seq"])
    message = mine[-1]["data"]["message"]
    assert (message["id"], message["body"]) == (reply["message"], "hello **you**")
    assert message["html"] == '<p dir="auto">hello <strong>you</strong></p>'
    assert reply["replayed"] is False


async def test_a_repeat_returns_the_first_message_also_with_another_body(server, people):
    room, client_id = people.room.pk, str(uuid.uuid4())
    bob = await member(server.socket_url, people.bob, room)
    first = await bob.post(room, "one", client_id)
    again = await bob.post(room, "one", client_id)
    other = await bob.post(room, "two", client_id)
    assert again == other == {**first, "replayed": True}
    assert await do(Message.objects.filter(room=room, client_id=client_id).count) == 1


async def test_edit_delete_and_restore_reach_the_reader(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    alice = await member(server.socket_url, people.alice, room)
    posted = await bob.post(room, "secret words")
    await bob.ask("message.edit", message=posted["message"], body="other words")
    unchanged = await bob.ask("message.edit", message=posted["message"], body="other words")
    deleted = await alice.ask("message.delete", message=posted["message"])
    assert deleted["seq"] == unchanged["seq"] + 1
    events = await bob.until_seq(room, deleted["seq"])
    tombstone = events[-1]["data"]["message"]
    assert (tombstone["body"], tombstone["html"], tombstone["deleted_by"]) == ("", "", "moderator")
    with pytest.raises(Refused) as refused:
        await bob.ask("message.restore", message=posted["message"])
    assert refused.value.code == "forbidden"
    restored = await alice.ask("message.restore", message=posted["message"])
    events = await bob.until_seq(room, restored["seq"])
    assert events[-1]["data"]["message"]["body"] == "other words"


async def test_after_a_deletion_no_cursor_of_the_socket_finds_the_text(server, people):
    room = people.room.pk
    start = people.room.last_seq
    bob = await member(server.socket_url, people.bob, room)
    posted = await bob.post(room, "unsayable")
    epoch = (await bob.ask("room.open", room=room))["epoch"]
    await bob.ask("message.delete", message=posted["message"])
    late = await enter(server.socket_url, await do(session_for, people.alice))
    for after in range(start, posted["seq"] + 1):
        await late.ask("room.open", room=room, after=after, epoch=epoch)
        await late.until(lambda c: c.events(room) and c.events(room)[-1]["seq"] == posted["seq"] + 1)
        assert "unsayable" not in json.dumps(late.frames)
        late.frames.clear()


async def test_resuming_gives_exactly_what_was_missed(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    first = await bob.post(room, "0")
    epoch = (await bob.ask("room.open", room=room))["epoch"]
    for number in range(1, 30):
        last = await bob.post(room, str(number))
    late = await enter(server.socket_url, await do(session_for, people.alice))
    answer = await late.ask("room.open", room=room, after=first["seq"], epoch=epoch)
    assert answer["resync"] is False
    events = await late.until_seq(room, last["seq"])
    assert [event["data"]["message"]["body"] for event in events] == [str(n) for n in range(1, 30)]


async def test_a_position_that_cannot_be_served_is_told_resync(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    opened = await bob.ask("room.open", room=room)
    wrong_epoch = await bob.ask("room.open", room=room, after=1, epoch="0" * 16)
    ahead = await bob.ask("room.open", room=room, after=opened["head"] + 1, epoch=opened["epoch"])
    assert wrong_epoch["resync"] and ahead["resync"]
    await bob.post(room, "x")
    await bob.ask("ping")
    assert bob.events(room) == []


@pytest.mark.parametrize(
    ("frame", "code", "ref"),
    [
        ("not json", "invalid", None),
        ("[]", "invalid", None),
        ('{"type":"nope","ref":"a"}', "invalid", "a"),
        ('{"type":"ping"}', "invalid", None),
        ('{"type":"ping","ref":7}', "invalid", None),
        ('{"type":"ping","ref":"' + "x" * 33 + '"}', "invalid", None),
        ('{"type":"ping","ref":"a","more":1}', "invalid", "a"),
        ('{"type":"reaction.add","ref":"a","message":1,"emoji":"x"}', "invalid", "a"),
        ('{"type":"room.open","ref":"a","room":"1"}', "invalid", "a"),
        ('{"type":"room.open","ref":"a","room":9223372036854775808}', "invalid", "a"),
        ('{"type":"room.open","ref":"a","room":999999999}', "not_found", "a"),
        ('{"type":"message.edit","ref":"a","message":999999999,"body":"x"}', "not_found", "a"),
        ('{"type":"hello","ref":"a"}', "invalid", "a"),
        ('{"type":"ping","ref":"a","x":' + "[" * 20_000 + "]" * 20_000 + "}", "invalid", None),
        ('{"type":"ping","ref":"a' + "\\ud800" + '"}', "invalid", None),
        ('{"ref":"a","type":"ping","x":"' + "x" * 65_536 + '"}', "too_large", "a"),
    ],
)
async def test_a_frame_that_cannot_be_understood_gets_its_code(server, people, frame, code, ref):
    bob = await member(server.socket_url, people.bob)
    bob.frames.clear()
    await bob.connection.send(frame)
    answer = await bob.until(lambda c: c.frames and c.frames[0])
    assert (answer["error"]["code"], answer["ref"]) == (code, ref)
    assert await bob.ask("ping") == {}


@pytest.mark.parametrize(
    "body", ["", " \n\t ", "\u200b\u2060", "x" * 4001, "a\0b", "a\x07b", "\u202e" * 3], ids=repr
)
async def test_a_body_that_is_none_is_refused_and_writes_nothing(server, people, body):
    bob = await member(server.socket_url, people.bob, people.room.pk)
    with pytest.raises(Refused) as refused:
        await bob.post(people.room.pk, body)
    assert refused.value.code == "invalid"
    assert not await do(Message.objects.filter(room=people.room).exists)


async def test_binary_frames_are_refused(server, people):
    bob = await member(server.socket_url, people.bob)
    bob.frames.clear()
    await bob.connection.send(b'{"type":"ping","ref":"a"}')
    answer = await bob.until(lambda c: c.frames and c.frames[0])
    assert answer["error"]["code"] == "invalid"


async def test_a_frame_before_hello_is_refused(server, committed_db):
    client = await connect(server.socket_url)
    with pytest.raises(Refused) as refused:
        await client.ask("ping")
    assert refused.value.code == "unauthenticated"
    assert (await client.ask("hello"))["user"] is None


async def test_without_hello_the_socket_is_closed(server, committed_db):
    client = await connect(server.socket_url)
    assert await client.until_closed(seconds=8) == 4501


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://evil.example",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "http://127.0.0.1:{port}.evil.example",
        "http://127.0.0.1:{port}/",
        "HTTP://127.0.0.1:{port}",
        "http://[",
        "",
    ],
)
async def test_with_a_foreign_origin_the_cookie_counts_for_nothing(server, people, origin):
    port = server.address[1]
    session = await do(session_for, people.bob)
    try:
        client = await connect(server.socket_url, session, origin=origin and origin.format(port=port))
    except InvalidStatus as malformed:  # Autobahn refuses what is no origin at all
        assert malformed.response.status_code == 400
        return
    with pytest.raises(Refused) as refused:
        await client.ask("hello")
    assert refused.value.code == "unauthenticated"
    assert await client.until_closed() == 4501


async def test_a_ticket_works_once(server, people):
    session = await do(session_for, people.bob)
    credential = Credential(SESSION, session, people.bob.pk, people.bob.epoch)
    ticket = await do(issue_ticket, people.bob, credential)
    first = await connect(server.socket_url, origin=None)
    assert (await first.ask("hello", ticket=ticket))["user"]["id"] == people.bob.pk
    second = await connect(server.socket_url, origin=None)
    with pytest.raises(Refused) as refused:
        await second.ask("hello", ticket=ticket)
    assert refused.value.code == "unauthenticated"


async def test_each_of_the_cast_is_told_what_they_may(server, people):
    """One rule, asked of all: who may read and who may write in a room open to guests for reading."""
    await do(update_room, people.olga, people.room.pk, RoomChanges(guest_policy="read"))
    expected = {
        "alice": None,
        "bob": None,
        "carol": "muted",
        "dave": None,
        "gil": "read_only",
    }
    for name, code in expected.items():
        client = await member(server.socket_url, getattr(people, name), people.room.pk)
        try:
            await client.post(people.room.pk, "x")
            told = None
        except Refused as refused:
            told = refused.code
        assert told == code, name
    visitor = await enter(server.socket_url, None, people.room.pk)
    with pytest.raises(Refused) as refused:
        await visitor.post(people.room.pk, "x")
    assert refused.value.code == "unauthenticated"


async def test_someone_removed_gets_room_closed_and_nothing_after(server, committed_db):
    people = await do(cast, kind="private")
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    alice = await member(server.socket_url, people.alice, room)
    await do(remove_member, people.alice, room, people.bob.pk)
    await alice.post(room, "without bob")
    await bob.until(
        lambda c: any(f["type"] == "room.closed" and f["room"] == room for f in c.frames), seconds=1
    )
    await alice.until(lambda c: any(e["kind"] == "message.posted" for e in c.events(room)))
    await bob.ask("ping")
    assert bob.events(room) == []


async def test_making_a_room_private_takes_it_from_those_outside_only(server, people):
    room = people.room.pk
    dave = await member(server.socket_url, people.dave, room)
    bob = await member(server.socket_url, people.bob, room)
    await do(update_room, people.olga, room, RoomChanges(kind="private"))
    await dave.until(lambda c: any(f["type"] == "room.closed" for f in c.frames), seconds=1)
    reply = await bob.post(room, "among us")
    assert [e["kind"] for e in await bob.until_seq(room, reply["seq"])] == ["room.updated", "message.posted"]
    assert dave.events(room) == []


def change_password(user):
    set_password(user, password="a long new password")


@pytest.mark.parametrize("end", [deactivate, end_all_credentials, change_password])
async def test_an_ended_credential_ends_its_sockets_within_a_second(server, people, end):
    bob = await member(server.socket_url, people.bob, people.room.pk)
    alice = await member(server.socket_url, people.alice, people.room.pk)
    await do(end, people.bob)
    assert await bob.until_closed(seconds=1) == 4504
    assert await alice.ask("ping") == {}


async def test_signing_out_ends_the_sockets_of_that_session_only(server, people):
    session = await do(session_for, people.bob)
    bob = await enter(server.socket_url, session)
    other = await member(server.socket_url, people.bob)
    await do(end_credential, Credential(SESSION, session, people.bob.pk, people.bob.epoch))
    assert await bob.until_closed(seconds=1) == 4504
    assert await other.ask("ping") == {}


async def test_more_sends_than_the_limit_are_told_when_to_come_back(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    refused = []
    for number in range(SENDS_PER_PERSON.count + 40):
        try:
            await bob.post(room, str(number))
        except Refused as refusal:
            refused.append(refusal)
    assert {refusal.code for refusal in refused} == {"rate_limited"}
    assert all(refusal.error["retry"] and refusal.error["retry_after"] > 0 for refusal in refused)
    assert await do(Message.objects.filter(room=room).count) == SENDS_PER_PERSON.count + 40 - len(refused)


@pytest.mark.own_server
async def test_the_log_of_the_server_holds_no_text_and_no_secret(start_server, people):
    server = start_server(LOG_LEVEL="INFO")
    session = await do(session_for, people.bob)
    pair = await do(tokens.issue_pair, people.bob)
    ticket = await do(issue_ticket, people.bob, Credential(SESSION, session, people.bob.pk, people.bob.epoch))
    socket = await connect(server.socket_url, origin=None)
    await socket.ask("hello", ticket=ticket)
    await socket.post(people.room.pk, "unloggable words")
    await asyncio.to_thread(
        server.get, "/api/v1/me", headers={"Authorization": f"Bearer {pair.access}", "Host": "127.0.0.1"}
    )
    await asyncio.to_thread(server.get, "/?token=unloggable", headers={"Cookie": f"session={session}"})
    assert '"path": "/api/v1/me"' in server.output()
    for secret in ("unloggable", session, ticket, pair.access):
        assert secret not in server.output()


async def test_typing_and_read_marks_reach_others_but_not_the_log(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    other = await member(server.socket_url, people.bob, room)
    alice = await member(server.socket_url, people.alice, room)
    head = (await bob.ask("room.open", room=room))["head"]
    await bob.ask("typing", room=room)
    await alice.until(
        lambda c: any(
            f["type"] == "typing" and f["users"][0]["id"] == people.bob.pk for f in c.frames if f.get("users")
        )
    )
    assert (await bob.ask("room.read", room=room, seq=head))["read"] == head
    assert (await bob.ask("room.read", room=room, seq=1))["read"] == head
    await other.until(lambda c: any(f["type"] == "read" and f["seq"] == head for f in c.frames))
    assert await do(RoomEvent.objects.filter(room=room).count) == head


async def test_posts_of_one_socket_keep_their_order(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    refs = [
        await bob.send("message.post", room=room, body=str(n), client_id=str(uuid.uuid4())) for n in range(50)
    ]
    replies = [await bob.reply(ref) for ref in refs]
    assert [reply["seq"] for reply in replies] == list(range(replies[0]["seq"], replies[0]["seq"] + 50))
    events = await bob.until_seq(room, replies[-1]["seq"])
    assert [event["data"]["message"]["body"] for event in events] == [str(n) for n in range(50)]


async def test_a_65th_outstanding_command_is_refused(server, people):
    bob = await member(server.socket_url, people.bob, people.room.pk)
    refs = [await bob.send("room.read", room=people.room.pk, seq=1) for _ in range(200)]
    codes = []
    for ref in refs:
        try:
            await bob.reply(ref)
        except Refused as refused:
            codes.append(refused.code)
    assert set(codes) <= {"rate_limited"}
    assert await bob.ask("ping") == {}


async def test_messages_of_other_doors_arrive_too(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    posted = await do(post_message, people.alice, room, client_id=uuid.uuid4(), body="from a command")
    await bob.until_seq(room, posted.seq, seconds=3)
    await do(delete_message, people.alice, posted.message_id)
    await bob.until_seq(room, posted.seq + 1, seconds=3)


async def test_many_sockets_gone_at_once_leave_nothing(server, people):
    clients = await asyncio.gather(
        *(member(server.socket_url, people.bob, people.room.pk) for _ in range(10))
    )
    for client in clients:
        client.connection.transport.abort()
    bob = await member(server.socket_url, people.bob, people.room.pk)
    assert (await bob.post(people.room.pk, "still here"))["seq"]


async def test_a_room_closed_while_it_opens_stays_closed(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob)
    alice = await member(server.socket_url, people.alice, room)
    opening = await bob.send("room.open", room=room)
    await bob.ask("room.close", room=room)
    try:
        await bob.reply(opening)  # opened first: the close came after it
    except Refused as refused:
        assert refused.code == "conflict"
    reply = await alice.post(room, "to nobody")
    await alice.until_seq(room, reply["seq"])
    await bob.ask("ping")
    assert bob.events(room) == []


async def test_a_room_opened_again_right_after_its_close_stays_open(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    closing = await bob.send("room.close", room=room)
    opening = await bob.send("room.open", room=room)
    await bob.reply(closing)
    await bob.reply(opening)
    reply = await bob.post(room, "to those who came back")
    await bob.until_seq(room, reply["seq"])


async def test_an_outsider_learns_nothing_of_a_private_room_by_typing(server, committed_db):
    people = await do(cast, kind="private")
    dave = await member(server.socket_url, people.dave)
    refs = [await dave.send("room.open", room=people.room.pk)]
    refs += [await dave.send("typing", room=people.room.pk) for _ in range(20)]
    for ref in refs:
        with pytest.raises(Refused) as refused:
            await dave.reply(ref)
        assert refused.value.code == "not_found"


async def test_the_sender_of_a_read_mark_is_not_told_of_it(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    other = await member(server.socket_url, people.bob, room)
    await bob.ask("room.read", room=room, seq=1)
    reply = await bob.post(room, "after the bell")
    await other.until_seq(room, reply["seq"])
    await bob.ask("ping")
    assert [f for f in bob.frames if f["type"] == "read"] == []
    assert len([f for f in other.frames if f["type"] == "read"]) == 1


async def test_too_many_sockets_of_one_address_are_told_when_to_come_back(server, committed_db):
    address = f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}.9"
    first = await connect(server.socket_url, local_addr=(address, 0))
    assert (await first.ask("hello"))["user"] is None
    await do(use_up, SOCKETS_PER_ADDRESS, address)
    refused = await connect(server.socket_url, local_addr=(address, 0))
    assert await refused.until_closed() == 4003
    assert refused.frames[-1]["type"] == "bye" and refused.frames[-1]["retry_after"] > 0


async def test_too_many_sockets_of_one_person_are_told_when_to_come_back(server, people):
    await do(use_up, SOCKETS_PER_PERSON, people.bob.pk)
    bob = await connect(server.socket_url, await do(session_for, people.bob))
    with pytest.raises(Refused) as refused:
        await bob.ask("hello")
    assert refused.value.code == "rate_limited" and refused.value.error["retry_after"] > 0
    assert await bob.until_closed() == 4003
    alice = await member(server.socket_url, people.alice)
    assert await alice.ask("ping") == {}


async def test_a_command_in_the_same_packet_as_hello_waits_for_it(server, people):
    client = await connect(server.socket_url, await do(session_for, people.bob))
    frames = [
        {"type": "hello", "ref": "hello"},
        {"type": "room.open", "ref": "open", "room": people.room.pk},
        {"type": "hello", "ref": "again"},
    ]
    packet = b"".join(Frame(Opcode.TEXT, json.dumps(frame).encode()).serialize(mask=True) for frame in frames)
    client.connection.transport.write(packet)
    assert (await client.reply("open"))["room"] == people.room.pk
    with pytest.raises(Refused, match="invalid"):
        await client.reply("again")
