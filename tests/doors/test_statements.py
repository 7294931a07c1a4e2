"""What goes to PostgreSQL in one trip is as if it had gone alone: under the lock it sees the newest."""

import threading
import time
import uuid

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import DataError, IntegrityError, connection, connections, transaction
from django.db.models import BigIntegerField, F, Value
from django.db.models.functions import Concat, Length
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from chat import log
from chat.actions.batch import _IDS_SQL
from chat.actions.posting import post_message
from chat.actions.sanctions import sanction_person
from chat.models import Kind, Message, Room, RoomEvent
from chatproject.database import clock
from chatproject.errors import AppError, Code
from chatproject.statements import Parameter, Prepared, Statement, ask, insertion
from tests.cast import cast

pytestmark = pytest.mark.usefixtures("committed_db")
WAIT_SECONDS = 10.0
# What an array of PostgreSQL writes in its own way.
ODD = ["NULL", "", "a,b", "{}", '"', "\\", "\\'; --", "100% %s %(x)s", "😀\n\t", "' OR ''='"]


@pytest.fixture
def people(committed_db):
    return cast()


def somebody_waits_for_us():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return cursor.fetchone()[0] > 0


def while_the_room_is_locked(room, act, before_commit):
    """What comes of ``act`` on another thread; ``before_commit`` is called once it waits for the room."""
    outcome = []

    def run():
        try:
            outcome.append(act())
        except AppError as refusal:
            outcome.append(refusal.code)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        log.lock_room(room.pk)
        thread.start()
        deadline = time.monotonic() + WAIT_SECONDS
        while not somebody_waits_for_us():
            assert time.monotonic() < deadline and not outcome, outcome
        before_commit()
    thread.join()
    return outcome[0]


def test_a_send_that_waited_for_its_room_sees_what_was_committed_meanwhile(people):
    room, client_id = people.room, uuid.uuid4()

    def send():
        return post_message(people.bob, room.pk, client_id=client_id, body="mine")

    first = []
    again = while_the_room_is_locked(room, send, lambda: first.append(send()))
    assert again.replayed and (again.message_id, again.seq) == (first[0].message_id, first[0].seq)
    client_id = uuid.uuid4()
    mute = lambda: sanction_person(people.alice, people.bob.pk, kind="mute", room_id=room.pk)  # noqa: E731
    assert while_the_room_is_locked(room, send, mute) == Code.MUTED
    assert not Message.objects.filter(client_id=client_id).exists()


def test_a_room_is_locked_in_a_transaction_or_not_at_all(people):
    with pytest.raises(TransactionManagementError):
        log.lock_room(people.room.pk)
    with transaction.atomic(), pytest.raises(AppError) as refusal:
        log.lock_room(0)
    assert refusal.value.code == Code.NOT_FOUND


def test_a_prepared_query_finds_what_the_orm_finds(people):
    def described(users, tag):
        return (
            User.objects.filter(pk__in=users)
            .annotate(told=Concat(F("display_name"), tag), size=Length("display_name") + 1)
            .order_by("pk")
        )

    prepared = Prepared(
        lambda: (
            User.objects.filter(pk__any=Parameter("users", ArrayField(BigIntegerField())))
            .annotate(
                told=Concat(F("display_name"), Parameter("tag", User._meta.get_field("display_name"))),
                size=Length("display_name") + 1,
            )
            .order_by("pk")
        )
    )
    for users, tag in (([people.bob.pk, people.gil.pk], "%s"), ([], "x"), ([people.bob.pk, 0], "'\\")):
        (found,) = ask(prepared.of(users=users, tag=tag))
        wanted = list(described(users, Value(tag)))
        assert [user.__dict__ | {"_state": 0} for user in found] == [
            user.__dict__ | {"_state": 0} for user in wanted
        ]
        assert all(not user._state.adding for user in found)


def test_several_statements_are_one_trip_and_each_gives_its_own(people):
    rooms = Prepared(lambda: Room.objects.filter(pk=Parameter("room", BigIntegerField())))
    numbers = Statement(
        "SELECT n FROM generate_series(1, %s) n", [3], lambda rows: [number for (number,) in rows]
    )
    with CaptureQueriesContext(connection) as captured:
        found = ask(
            rooms.of(room=people.room.pk), numbers, Statement("SET LOCAL jit = off"), rooms.of(room=0)
        )
    assert found == [[people.room], [1, 2, 3], [], []]
    assert len(captured) == 1


def test_rows_are_written_as_they_are(people):
    at, room = clock(), people.room
    (ids,) = ask(Statement(_IDS_SQL, [len(ODD)], lambda rows: [number for (number,) in rows]))
    messages = [
        Message(
            pk=ids[number], room=room, seq=10_000 + number, author=people.bob,
            client_id=uuid.uuid4(), body=text or "-", html=text, created_at=at,
            deleted_at=at if number % 2 else None,
        )
        for number, text in enumerate(ODD)
    ]  # fmt: skip
    events = [
        RoomEvent(
            room=room, seq=10_000 + number, kind=Kind.ROOM_UPDATED, actor=None, created_at=at,
            data={"text": text, "none": None, "list": [number]},
        )
        for number, text in enumerate(ODD)
    ]  # fmt: skip
    ask(insertion(messages), insertion(events))
    names = [field.attname for field in Message._meta.concrete_fields]
    kept = Message.objects.filter(room=room, seq__gte=10_000).order_by("seq").values(*names)
    assert list(kept) == [{name: getattr(each, name) for name in names} for each in messages]
    written = RoomEvent.objects.filter(room=room, seq__gte=10_000).order_by("seq")
    assert [(each.seq, each.data, each.created_at) for each in written] == [
        (each.seq, each.data, at) for each in events
    ]
    assert all(each.pk for each in written)


def test_what_is_too_long_for_its_column_is_refused_and_not_cut(people):
    event = RoomEvent(room=people.room, seq=30_000, kind="room." + "x" * 40, created_at=clock())
    with pytest.raises(DataError):
        ask(insertion([event]))


def test_the_first_error_ends_a_trip_and_nothing_of_it_stays(people):
    count = Message.objects.filter(room=people.room).count()
    twice = Message(
        pk=None, room=people.room, seq=20_000, author=people.bob, client_id=uuid.uuid4(), body="x", html="x",
        created_at=clock(),
    )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        ask(insertion([twice]), insertion([twice]))
    assert Message.objects.filter(room=people.room).count() == count
    assert ask(Statement("SELECT 1", read=list)) == [[(1,)]]
