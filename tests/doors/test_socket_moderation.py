"""Moderation on live sockets: every decision is in force at once, and the one concerned is told."""

import uuid

import pytest

from chat.actions.holding import approve_held, reject_held
from chat.actions.reports import Target, decide_report, report
from chat.actions.sanctions import lift_sanction, sanction_person
from chat.actions.sweeping import ban_and_clean_up
from chat.audit import Why
from chat.models import HeldMessage, Pulse, Sanction
from chatproject.database import clock
from tests.cast import Refused, cast, connect, do, enter, member, person, session_for
from tests.services import wait_for

pytestmark = pytest.mark.usefixtures("committed_db")
WITHIN_SECONDS = 1.0
SPAM = Why("spam", "twice today")


@pytest.fixture
def people(committed_db):
    return cast()


@pytest.fixture
def root(committed_db):
    user = person("root")
    user.is_staff = user.is_superuser = True
    user.save(update_fields=["is_staff", "is_superuser"])
    return user


def notified(client, kind):
    return next((f for f in client.frames if f["type"] == "notification" and f["kind"] == kind), None)


def closed(client, room):
    return next((f for f in client.frames if f["type"] == "room.closed" and f["room"] == room), None)


async def refusal(client, room, body="still here"):
    with pytest.raises(Refused) as refused:
        await client.post(room, body)
    return refused.value.error


async def test_a_mute_is_in_force_at_once_and_its_reason_is_for_the_muted_alone(server, people):
    room = people.room.pk
    bob, dave = (
        await member(server.socket_url, people.bob, room),
        await member(server.socket_url, people.dave, room),
    )
    until = await do(clock)
    sanction = await do(
        sanction_person, people.alice, people.bob.pk, kind="mute", room_id=room, why=SPAM,
        until=until.replace(year=until.year + 1),
    )  # fmt: skip
    told = await bob.until(lambda c: notified(c, "sanctioned"), seconds=WITHIN_SECONDS)
    assert (told["data"]["sanction"], told["data"]["room"]) == ("mute", room)
    assert told["data"]["reason"] == "Spam or advertising: twice today"
    error = await refusal(bob, room)
    assert (error["code"], error["fields"]["reason"]) == ("muted", [told["data"]["reason"]])
    # The event comes when the right to write has been asked for again: from then on memory says no, too.
    await bob.until(lambda c: next(iter(c.events(room)), None), seconds=WITHIN_SECONDS)
    with pytest.raises(Refused, match="forbidden"):
        await bob.ask("typing", room=room)
    event = await dave.until(lambda c: next(iter(c.events(room)), None))
    assert (event["kind"], event["data"]["kind"]) == ("member.sanctioned", "mute")
    assert "twice" not in str(dave.frames) and notified(dave, "sanctioned") is None
    await do(lift_sanction, people.alice, sanction.pk)
    await bob.until(lambda c: notified(c, "unsanctioned"), seconds=WITHIN_SECONDS)
    await bob.until(lambda c: [e for e in c.events(room) if e["kind"] == "member.unsanctioned"])
    assert (await bob.post(room, "free again"))["seq"]
    await bob.ask("typing", room=room)


@pytest.mark.parametrize("kind", ["kick", "ban"])
async def test_who_is_put_out_of_a_room_hears_nothing_more_of_it(server, people, kind):
    room = people.room.pk
    bob, olga = (
        await member(server.socket_url, people.bob, room),
        await member(server.socket_url, people.olga, room),
    )
    await do(sanction_person, people.alice, people.bob.pk, kind=kind, room_id=room, why=SPAM)
    lost = await bob.until(lambda c: closed(c, room), seconds=WITHIN_SECONDS)
    assert lost["code"] == "banned"
    said = await olga.post(room, "bob does not hear this")
    await olga.until_seq(room, said["seq"])
    assert (await refusal(bob, room))["code"] == "banned"
    with pytest.raises(Refused, match="banned"):
        await bob.ask("room.open", room=room)
    assert "does not hear" not in str(bob.frames)
    assert bob.closed is None


async def test_a_lifted_ban_opens_the_room_to_the_same_socket(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    ban = await do(sanction_person, people.alice, people.bob.pk, kind="ban", room_id=room, why=SPAM)
    await bob.until(lambda c: closed(c, room), seconds=WITHIN_SECONDS)
    await do(lift_sanction, people.alice, ban.pk)
    await bob.ask("room.open", room=room)
    assert (await bob.post(room, "back"))["seq"]


async def test_a_ban_everywhere_ends_every_socket_with_its_reason(server, people, root):
    room = people.room.pk
    key = await do(session_for, people.bob)
    first, second = await enter(server.socket_url, key, room), await enter(server.socket_url, key)
    ban = await do(sanction_person, root, people.bob.pk, kind="ban", why=SPAM)
    for client in (first, second):
        assert await client.until_closed(seconds=WITHIN_SECONDS) == 4503
        bye = next(frame for frame in client.frames if frame["type"] == "bye")
        assert "twice today" in bye["reason"]
    again = await connect(server.socket_url, key)
    with pytest.raises(Refused, match="banned"):
        await again.ask("hello")
    assert await again.until_closed() == 4503
    await do(lift_sanction, root, ban.pk)
    back = await enter(server.socket_url, key, room)
    assert (await back.post(room, "back"))["seq"]


async def test_decisions_reach_sockets_of_another_process(server, start_server, people):
    room = people.room.pk
    other = start_server()
    here, there = (
        await member(server.socket_url, people.alice, room),
        await member(other.socket_url, people.bob, room),
    )
    await here.post(room, "both hear")
    await do(sanction_person, people.alice, people.bob.pk, kind="mute", room_id=room, why=SPAM)
    await there.until(lambda c: notified(c, "sanctioned"), seconds=WITHIN_SECONDS)
    assert (await refusal(there, room))["code"] == "muted"


async def test_a_held_message_waits_unseen_and_comes_at_its_approval(server):
    people = await do(cast, guest_policy="approval")
    room = people.room.pk
    gil, alice, bob = [
        await member(server.socket_url, user, room) for user in (people.gil, people.alice, people.bob)
    ]
    client_id = str(uuid.uuid4())
    assert await gil.post(room, "May I?", client_id) == {"held": True, "replayed": False}
    assert await gil.post(room, "May I?", client_id) == {"held": True, "replayed": True}
    await alice.until(lambda c: notified(c, "held.waiting"), seconds=WITHIN_SECONDS)
    assert notified(bob, "held.waiting") is None and bob.events(room) == []
    held = await do(HeldMessage.objects.get, author=people.gil)
    await do(approve_held, people.alice, held.pk)
    for client in (gil, alice, bob):
        (event,) = await client.until(lambda c: c.events(room))
        assert (event["kind"], event["data"]["message"]["body"]) == ("message.approved", "May I?")
        assert event["data"]["message"]["client_id"] == client_id
    told = await gil.until(lambda c: notified(c, "held.approved"))
    assert told["data"]["message"] == event["data"]["message"]["id"]
    assert (await gil.post(room, "May I?", client_id))["replayed"] is True


async def test_a_rejected_message_is_told_to_its_author_alone(server):
    people = await do(cast, guest_policy="approval")
    room = people.room.pk
    gil, bob = [await member(server.socket_url, user, room) for user in (people.gil, people.bob)]
    await gil.post(room, "Buy now")
    held = await do(HeldMessage.objects.get, author=people.gil)
    await do(reject_held, people.alice, held.pk, why=SPAM)
    told = await gil.until(lambda c: notified(c, "held.rejected"), seconds=WITHIN_SECONDS)
    assert told["data"]["reason"] == "Spam or advertising: twice today"
    assert bob.events(room) == [] and notified(bob, "held.rejected") is None


async def test_a_clean_up_takes_the_texts_from_every_screen(server, people):
    room = people.room.pk
    olga = await member(server.socket_url, people.olga, room)
    bob = await member(server.socket_url, people.bob, room)
    since = await do(clock)
    posted = [(await bob.post(room, f"buy {n}"))["message"] for n in range(3)]
    await do(ban_and_clean_up, people.alice, people.bob.pk, since=since, room_id=room, why=SPAM)
    await olga.until(lambda c: len([e for e in c.events(room) if e["kind"] == "message.deleted"]) == 3)
    gone = [e["data"]["message"] for e in olga.events(room) if e["kind"] == "message.deleted"]
    assert [message["id"] for message in gone] == posted
    assert {message["body"] for message in gone} == {""}
    late = await member(server.socket_url, people.dave, room)
    assert "buy" not in str(late.frames)


async def test_a_reporter_is_told_the_outcome_live(server, people):
    room = people.room.pk
    gil, olga = (
        await member(server.socket_url, people.gil, room),
        await member(server.socket_url, people.olga, room),
    )
    message = (await olga.post(room, "hm"))["message"]
    made = await do(report, people.gil, Target(message_id=message), why=Why("other"))
    await do(decide_report, people.alice, made.pk, outcome="dismissed")
    told = await gil.until(lambda c: notified(c, "report.decided"), seconds=WITHIN_SECONDS)
    assert (told["data"]["report"], told["data"]["outcome"]) == (made.pk, "dismissed")


async def test_an_announcement_room_is_written_by_its_moderators(server):
    people = await do(cast, kind="announcement", guest_policy="read")
    room = people.room.pk
    alice, bob = [await member(server.socket_url, user, room) for user in (people.alice, people.bob)]
    assert (await refusal(bob, room))["code"] == "read_only"
    posted = await alice.post(room, "News")
    assert (await bob.until_seq(room, posted["seq"]))[-1]["data"]["message"]["body"] == "News"


async def test_the_process_tells_how_many_are_connected(start_server, people):
    others = await do(lambda: set(Pulse.objects.values_list("process", flat=True)))
    server = start_server()
    bobs = [await member(server.socket_url, people.bob) for _ in range(2)]
    await enter(server.socket_url)

    def counted():
        return list(Pulse.objects.exclude(process__in=others).values_list("people", "sockets"))

    assert await do(wait_for, lambda: counted() == [(1, 3)], seconds=10)
    await bobs[0].close()
    assert await do(wait_for, lambda: counted() == [(1, 2)], seconds=10)
    await do(server.stop)
    assert await do(counted) == []


async def test_an_expired_ban_is_over_by_the_database_clock(server, people):
    room = people.room.pk
    bob = await member(server.socket_url, people.bob, room)
    ban = await do(sanction_person, people.alice, people.bob.pk, kind="ban", room_id=room, why=SPAM)
    await bob.until(lambda c: closed(c, room))
    past = {"created_at": ban.created_at.replace(year=2020), "ends_at": ban.created_at}
    await do(lambda: Sanction.objects.filter(pk=ban.pk).update(**past))
    await bob.ask("room.open", room=room)
    assert (await bob.post(room, "it is over"))["seq"]
