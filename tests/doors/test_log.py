"""The promise of the log: no hole, nothing lost, nothing twice, replay equals state."""

import random
import threading
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from chat import log, snapshots
from chat.actions import batch, holding, members, posting, reports, rooms, sanctions, sweeping
from chat.actions.drafts import Draft, Posted
from chat.actions.messages import delete_message, edit_message, restore_message
from chat.actions.posting import post_message, post_messages
from chat.actions.rooms import RoomChanges
from chat.actions.ruleset import reload_rules
from chat.actions.undo import undo_action
from chat.audit import Why
from chat.models import HeldMessage, Message, ModerationAction, Room, RoomEvent, Sanction
from chat.payloads import encode
from chatproject.database import clock
from chatproject.errors import AppError, Code
from chatproject.statements import Prepared
from tests.cast import Cast, cast

pytestmark = pytest.mark.usefixtures("committed_db")
WRITERS, SENDS = 8, 90


@pytest.fixture
def people(committed_db) -> Cast:
    return cast()


def post(user, room, body="hello", client_id=None):
    return post_message(user, room.pk, client_id=client_id or uuid.uuid4(), body=body)


def mute(people):
    return sanctions.sanction_person(people.alice, people.bob.pk, kind="mute", room_id=people.room.pk)


def unmute(people, person):
    sanction = Sanction.objects.in_force().get(user=person, room=people.room, kind="mute")
    sanctions.lift_sanction(people.alice, sanction.pk)


def on_threads(work, count):
    errors = []

    def run(number):
        try:
            work(number)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_concurrent_writers_leave_no_hole_and_a_cursor_reader_misses_none(people):
    room = people.room
    acknowledged: list[tuple[uuid.UUID, int]] = []
    seen: list[int] = []
    done = threading.Event()
    writers = [people.alice, people.bob, people.carol, people.dave]

    def write(number):
        dice = random.Random(number)
        mine: list[uuid.UUID] = []
        for turn in range(SENDS):
            user = writers[number % 4]
            repeat = mine and dice.random() < 0.3
            client_id = dice.choice(mine) if repeat else uuid.uuid4()
            if dice.random() < 0.05:
                with pytest.raises((ZeroDivisionError, AppError)), rolled_back():
                    post(user, room, "never", client_id if not repeat else None)
            try:
                posted = post(user, room, f"{number}/{turn}", client_id)
            except AppError as refusal:
                assert (user, refusal.code) == (people.carol, Code.MUTED)
                continue
            mine.append(client_id)
            acknowledged.append((client_id, posted.seq))

    def read():
        cursor = people.room.last_seq
        while True:
            finished = done.is_set()
            events = log.read_after(room.pk, cursor, 100)
            seen.extend(event.seq for event in events)
            cursor = events[-1].seq if events else cursor
            if finished and not events:
                break
        connections.close_all()

    reader = threading.Thread(target=read)
    reader.start()
    on_threads(write, WRITERS)
    done.set()
    reader.join()

    room.refresh_from_db()
    seqs = list(RoomEvent.objects.filter(room=room).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, room.last_seq + 1))
    assert seen == list(range(seen[0], room.last_seq + 1))
    rows = Counter(Message.objects.filter(room=room).values_list("client_id", flat=True))
    assert set(rows.values()) == {1}
    assert set(rows) == {client_id for client_id, _ in acknowledged}
    stored = dict(Message.objects.filter(room=room).values_list("client_id", "seq"))
    assert all(stored[client_id] == seq for client_id, seq in acknowledged)


def rolled_back():
    from contextlib import contextmanager

    from django.db import transaction

    @contextmanager
    def manager():
        with transaction.atomic():
            yield
            raise ZeroDivisionError

    return manager()


def test_a_repeat_after_a_mute_or_within_slow_mode_returns_the_first_message(people):
    client_id = uuid.uuid4()
    first = post(people.bob, people.room, "mine", client_id)
    rooms.update_room(people.olga, people.room.pk, RoomChanges(slow_mode_seconds=60))
    assert post(people.bob, people.room, "mine", client_id) == Posted(
        first.message_id, first.seq, first.created_at, True
    )
    with pytest.raises(AppError) as refused:
        post(people.bob, people.room, "too soon")
    assert refused.value.code == Code.SLOW_MODE
    assert refused.value.retry_after is not None and 0 < refused.value.retry_after <= 60
    assert post(people.alice, people.room, "exempt") and post(people.alice, people.room, "twice")
    mute(people)
    assert post(people.bob, people.room, "mine", client_id).replayed
    with pytest.raises(AppError) as refused:
        post(people.bob, people.room, "new")
    assert refused.value.code == Code.MUTED


def test_within_a_batch_repeats_and_slow_mode_see_the_earlier_items(people):
    rooms.update_room(people.olga, people.room.pk, RoomChanges(slow_mode_seconds=60))
    twice = uuid.uuid4()
    outcomes = post_messages(
        people.room.pk,
        [
            Draft(people.bob, twice, "one"),
            Draft(people.bob, twice, "one"),
            Draft(people.bob, uuid.uuid4(), "two"),
            Draft(people.alice, uuid.uuid4(), "ok"),
            Draft(people.alice, uuid.uuid4(), " "),
            Draft(people.carol, uuid.uuid4(), "muted"),
        ],
    )
    first, again, slow, fine, empty, muted = outcomes
    assert isinstance(first, Posted) and again == Posted(first.message_id, first.seq, first.created_at, True)
    assert isinstance(fine, Posted) and fine.seq == first.seq + 1
    assert [o.code for o in (slow, empty, muted)] == [Code.SLOW_MODE, Code.INVALID, Code.MUTED]


def test_one_failing_send_of_a_batch_fails_alone(people, monkeypatch):
    from django.db import IntegrityError

    original = batch.Batch.write

    def write(self):
        if any(message.body == "poison" for message in self.messages):
            raise IntegrityError("injected")
        original(self)

    monkeypatch.setattr(batch.Batch, "write", write)
    bodies = ["a", "poison", "b"]
    outcomes = post_messages(people.room.pk, [Draft(people.bob, uuid.uuid4(), body) for body in bodies])
    assert [o.code if isinstance(o, AppError) else "ok" for o in outcomes] == ["ok", "internal", "ok"]
    stored = Message.objects.filter(room=people.room).order_by("seq").values_list("body", flat=True)
    assert list(stored) == ["a", "b"]


@pytest.mark.parametrize("messages_before", [0, 300])
@pytest.mark.parametrize("size", [1, 50])
def test_the_round_trips_of_a_send_do_not_grow_with_room_or_batch(people, messages_before, size):
    if messages_before:
        post_messages(
            people.room.pk, [Draft(people.bob, uuid.uuid4(), "before") for _ in range(messages_before)]
        )
    drafts = [Draft(people.bob, uuid.uuid4(), f"m{n}") for n in range(size)]
    reload_rules()  # another test may have written some
    with CaptureQueriesContext(connection) as captured:
        post_messages(people.room.pk, drafts)
    # begin; lock, repeats, authors and ids; messages, events and head; commit
    assert len(captured) == 4, [query["sql"][:90] for query in captured.captured_queries]


def test_pages_and_lists_take_a_fixed_number_of_statements(people):
    for size in (1, 60):
        post_messages(people.room.pk, [Draft(people.bob, uuid.uuid4(), "x") for _ in range(size)])
        with CaptureQueriesContext(connection) as captured:
            snapshots.message_page(people.dave, people.room.pk)
        assert len(captured) == 6  # begin, isolation, room, epoch, messages, commit
        with CaptureQueriesContext(connection) as captured:
            snapshots.room_list(people.bob)
        assert len(captured) == 2


# --- replay ------------------------------------------------------------------------------------------


def fresh(people):
    """What a client has that loads everything now."""
    room = Room.objects.get(pk=people.room.pk)
    page = snapshots.message_page(people.olga, room.pk, limit=1000)
    from chat.payloads import room_payload

    roles = dict(room.memberships.filter(user__is_guest=False).values_list("user_id", "role"))
    plain = {k: v for k, v in decoded(room_payload(room)).items() if k != "head"}
    return {"messages": {m.id: decoded(m) for m in page.results}, "room": plain, "roles": roles}, page.seq


def decoded(struct):
    import json

    return json.loads(encode(struct))


def apply(state, event):
    """A client's reducer: absolute state, keyed by id."""
    data = decoded(event.payload)["data"]
    if "message" in data:
        state["messages"][data["message"]["id"]] = data["message"]
    elif event.kind.startswith("room."):
        state["room"] = {k: v for k, v in data["room"].items() if k != "head"}
    elif event.kind == "member.left":
        state["roles"].pop(data["user"]["id"], None)
    elif event.kind in {"member.joined", "member.role_changed"}:
        state["roles"][data["user"]["id"]] = data["role"]


def sanction(people, kind):
    sanctions.sanction_person(people.alice, people.bob.pk, kind=kind, room_id=people.room.pk)


def clean_up(people):
    since = clock() - timedelta(hours=1)
    sweeping.ban_and_clean_up(people.alice, people.bob.pk, since=since, room_id=people.room.pk)


def take_back(people):
    undo_action(people.olga, ModerationAction.objects.filter(room=people.room).latest("id").pk)


def hold(people):
    rooms.update_room(people.olga, people.room.pk, RoomChanges(guest_policy="approval"))
    post(people.gil, people.room, "may I")
    return HeldMessage.objects.get(room=people.room).pk


def report(people, message):
    return reports.report(people.dave, reports.Target(message_id=message), why=Why("spam")).pk


def hidden(people, message):
    rooms.update_room(people.olga, people.room.pk, RoomChanges(hide_after_reports=1))
    return report(people, message)


ACTIONS = {
    "post": lambda p, m: post(p.bob, p.room),
    "post by a newcomer": lambda p, m: post(p.dave, p.room),
    "reply": lambda p, m: post_message(p.bob, p.room.pk, client_id=uuid.uuid4(), body="re", reply_to=m),
    "repeat": lambda p, m: [post(p.bob, p.room, "x", uuid.UUID(int=p.room.pk)) for _ in range(2)],
    "edit": lambda p, m: edit_message(p.bob, m, body="changed"),
    "edit to the same": lambda p, m: edit_message(p.bob, m, body="original"),
    "delete": lambda p, m: delete_message(p.bob, m),
    "delete twice": lambda p, m: [delete_message(p.alice, m) for _ in range(2)],
    "delete and restore": lambda p, m: [delete_message(p.bob, m), restore_message(p.bob, m)],
    "edit then delete": lambda p, m: [edit_message(p.bob, m, body="changed"), delete_message(p.alice, m)],
    "join": lambda p, m: members.join_room(p.dave, p.room.pk),
    "leave": lambda p, m: members.leave_room(p.bob, p.room.pk),
    "add": lambda p, m: members.add_member(p.alice, p.room.pk, display_name=p.dave.display_name),
    "remove": lambda p, m: members.remove_member(p.alice, p.room.pk, p.bob.pk),
    "change role": lambda p, m: members.change_role(p.olga, p.room.pk, p.bob.pk, role="moderator"),
    "mark read": lambda p, m: members.mark_read(p.bob, p.room.pk, seq=3),
    "update room": lambda p, m: rooms.update_room(p.olga, p.room.pk, RoomChanges(name="New", topic="t")),
    "update nothing": lambda p, m: rooms.update_room(p.olga, p.room.pk, RoomChanges(name="Test")),
    "archive": lambda p, m: rooms.archive_room(p.olga, p.room.pk),
    "reopen": lambda p, m: [rooms.archive_room(p.olga, p.room.pk), rooms.reopen_room(p.olga, p.room.pk)],
    "mute": lambda p, m: mute(p),
    "lift": lambda p, m: unmute(p, p.carol),
    "warn": lambda p, m: sanction(p, "warn"),
    "kick": lambda p, m: sanction(p, "kick"),
    "kick and undo": lambda p, m: [sanction(p, "kick"), take_back(p)],
    "ban": lambda p, m: sanction(p, "ban"),
    "ban and undo": lambda p, m: [sanction(p, "ban"), take_back(p)],
    "ban for a mute": lambda p, m: [sanction(p, "mute"), sanction(p, "mute"), sanction(p, "ban")],
    "clean up": lambda p, m: clean_up(p),
    "clean up and undo": lambda p, m: [clean_up(p), take_back(p)],
    "clean up, undo and again": lambda p, m: [clean_up(p), take_back(p), take_back(p)],
    "hold": lambda p, m: hold(p),
    "approve": lambda p, m: holding.approve_held(p.alice, hold(p)),
    "approve and undo": lambda p, m: [holding.approve_held(p.alice, hold(p)), take_back(p)],
    "approve, undo and again": lambda p, m: [
        holding.approve_held(p.alice, hold(p)),
        take_back(p),
        take_back(p),
    ],
    "reject": lambda p, m: holding.reject_held(p.alice, hold(p)),
    "report": report,
    "hide for review": hidden,
    "dismiss": lambda p, m: reports.decide_report(p.alice, hidden(p, m), outcome="dismissed"),
    "uphold": lambda p, m: reports.decide_report(p.alice, hidden(p, m), outcome="upheld"),
    "undo of a deletion": lambda p, m: [delete_message(p.alice, m), take_back(p)],
    "undo of settings": lambda p, m: [
        rooms.update_room(p.olga, p.room.pk, RoomChanges(name="New")),
        take_back(p),
    ],
    "undo of closing": lambda p, m: [rooms.archive_room(p.olga, p.room.pk), take_back(p)],
    "undo of a role": lambda p, m: [
        members.change_role(p.olga, p.room.pk, p.bob.pk, role="moderator"),
        take_back(p),
    ],
}


@pytest.mark.parametrize("name", ACTIONS)
def test_old_state_and_its_events_equal_fresh_state(people, name):
    message = post(people.bob, people.room, "original").message_id
    state, seq = fresh(people)
    ACTIONS[name](people, message)
    for event in log.read_after(people.room.pk, seq, 100):
        assert event.seq == seq + 1
        seq = event.seq
        apply(state, event)
    expected, head = fresh(people)
    assert (state, seq) == (expected, head)


@pytest.mark.parametrize(
    "name", ["repeat", "edit to the same", "delete twice", "update nothing", "mark read", "warn", "report"]
)
def test_what_changes_nothing_appends_nothing(people, name):
    message = post(people.bob, people.room, "original").message_id
    if name == "repeat":
        post(people.bob, people.room, "x", uuid.UUID(int=people.room.pk))
    if name == "delete twice":
        delete_message(people.alice, message)
    before = Room.objects.get(pk=people.room.pk).last_seq
    ACTIONS[name](people, message)
    assert Room.objects.get(pk=people.room.pk).last_seq == before


def test_after_a_deletion_the_log_shows_a_tombstone_at_every_cursor(people):
    message = post(people.bob, people.room, "unsayable").message_id
    edit_message(people.bob, message, body="unsayable too")
    delete_message(people.alice, message)
    for cursor in range(Room.objects.get(pk=people.room.pk).last_seq):
        events = log.read_after(people.room.pk, cursor, 100)
        assert b"unsayable" not in b"".join(encode(event.payload) for event in events)
    assert b"unsayable" not in encode(snapshots.message_page(people.olga, people.room.pk))


def test_unread_counts_others_messages_after_the_read_mark_and_stops_at_100(people):
    post(people.bob, people.room, "own")
    gone = post(people.alice, people.room, "gone").message_id
    delete_message(people.alice, gone)
    last = post(people.alice, people.room, "one").seq
    assert snapshots.my_room(people.bob, people.room.pk).unread == 1
    members.mark_read(people.bob, people.room.pk, seq=last)
    assert snapshots.my_room(people.bob, people.room.pk).unread == 0
    post_messages(people.room.pk, [Draft(people.alice, uuid.uuid4(), "x") for _ in range(120)])
    assert snapshots.my_room(people.bob, people.room.pk).unread == 100


def test_unread_looks_back_only_so_far(people, monkeypatch):
    """Or who writes much and reads nothing would have all their own messages scanned for others'."""
    monkeypatch.setattr(snapshots, "UNREAD_REACH", 3)
    composed_anew = Prepared(lambda: snapshots._one_room("person"))
    monkeypatch.setitem(snapshots._ONE_ROOM, "person", composed_anew)
    for number in range(5):
        post(people.alice, people.room, str(number))
    assert snapshots.my_room(people.bob, people.room.pk).unread == 3


def test_an_expired_mute_binds_no_longer(people):
    from chat.models import Sanction
    from chatproject.database import ClockTimestamp

    Sanction.objects.filter(room=people.room, user=people.carol).update(
        created_at=ClockTimestamp() - timedelta(hours=2), ends_at=ClockTimestamp() - timedelta(hours=1)
    )
    assert post(people.carol, people.room)


def test_the_last_owner_cannot_leave_or_step_down(people):
    for act in (
        lambda: members.leave_room(people.olga, people.room.pk),
        lambda: members.change_role(people.olga, people.room.pk, people.olga.pk, role="member"),
    ):
        with pytest.raises(AppError) as refused:
            act()
        assert refused.value.code == Code.CONFLICT


def refusal(act, *args, **kwargs):
    with pytest.raises(AppError) as refused:
        act(*args, **kwargs)
    return refused.value.code


def test_someone_removed_from_a_private_room_changes_nothing_there_any_more(committed_db):
    people = cast(kind="private")
    kept = post(people.bob, people.room, "kept").message_id
    gone = post(people.bob, people.room, "gone").message_id
    delete_message(people.bob, gone)
    members.remove_member(people.alice, people.room.pk, people.bob.pk)
    head = Room.objects.get(pk=people.room.pk).last_seq
    assert refusal(edit_message, people.bob, kept, body="rewritten") == Code.NOT_FOUND
    assert refusal(edit_message, people.bob, kept, body="kept") == Code.NOT_FOUND
    assert refusal(delete_message, people.bob, kept) == Code.NOT_FOUND
    assert refusal(restore_message, people.bob, gone) == Code.NOT_FOUND
    assert Room.objects.get(pk=people.room.pk).last_seq == head


def test_a_moderators_deletion_stands_above_the_authors_own(people):
    message = post(people.bob, people.room, "abuse").message_id
    own = delete_message(people.bob, message)
    assert delete_message(people.alice, message) == own + 1
    assert refusal(restore_message, people.bob, message) == Code.FORBIDDEN
    assert delete_message(people.bob, message) == own + 1
    assert restore_message(people.alice, message) == own + 2


def test_who_may_not_write_may_not_restore_either(people):
    message = post(people.bob, people.room, "words").message_id
    delete_message(people.bob, message)
    mute(people)
    assert refusal(restore_message, people.bob, message) == Code.MUTED
    unmute(people, people.bob)
    rooms.archive_room(people.olga, people.room.pk)
    assert refusal(restore_message, people.bob, message) == Code.ARCHIVED


def test_pruning_takes_old_events_and_tells_readers_by_first_seq(people):
    from chat.actions.retention import prune_log
    from chatproject.database import ClockTimestamp

    kept = post(people.bob, people.room, "old").message_id
    last_old = Room.objects.get(pk=people.room.pk).last_seq
    RoomEvent.objects.filter(room=people.room).update(created_at=ClockTimestamp() - timedelta(days=31))
    new = post(people.bob, people.room, "new").seq
    assert prune_log() == last_old
    room = Room.objects.get(pk=people.room.pk)
    assert (room.first_seq, room.last_seq) == (last_old + 1, new)
    assert [event.seq for event in log.read_after(room.pk, 0, 100)] == [new]
    assert Message.objects.filter(pk=kept, body="old").exists()
    assert prune_log() == 0


def test_guests_bear_no_role(people):
    act = members.change_role
    assert refusal(act, people.olga, people.room.pk, people.gil.pk, role="owner") == Code.INVALID


def test_a_text_that_breaks_the_renderer_fails_alone(people, monkeypatch):

    def render(body):
        if body == "poison":
            raise ZeroDivisionError
        return body

    monkeypatch.setattr(posting, "render", render)
    drafts = [Draft(people.bob, uuid.uuid4(), body) for body in ("a", "poison", "b")]
    outcomes = post_messages(people.room.pk, drafts)
    assert [o.code if isinstance(o, AppError) else "ok" for o in outcomes] == ["ok", "internal", "ok"]


def test_the_room_list_leads_with_own_rooms_and_the_newest_message_and_pages_without_repeat(people):
    quiet = rooms.create_room(people.dave, name="Quiet", guest_policy="write")
    post(people.dave, quiet, "newer")
    post(people.bob, people.room, "newest, but outside for dave")
    whole, end = snapshots.room_list(people.dave, limit=10_000)
    assert end is None
    assert whole[0].id == quiet.pk
    assert next(room for room in whole if room.role is None).id == people.room.pk
    paged, cursor = snapshots.room_list(people.dave, limit=2)
    while cursor is not None:
        page, cursor = snapshots.room_list(people.dave, after=cursor, limit=2)
        paged += page
    assert paged == whole
